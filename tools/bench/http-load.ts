import autocannon from 'autocannon';
import type { Run } from './figures.ts';

/** What one connection knows of the request under way. */
export type Asked = Record<string, unknown>;

export interface HttpLoad {
  url: string;
  connections: number;
  seconds: number;
  method: 'GET' | 'POST';
  /** Of whoever answers. */
  cpuSeconds(): number;
  /** The next request; what it leaves in `asked` comes back with its answer. */
  next(asked: Asked): { path: string; headers?: Record<string, string> };
  answered?(body: string, headers: Record<string, string>, asked: Asked): void;
}

/** Longer than the services themselves wait for anything: what is late is told by them. */
const answerWithinSeconds = 30;

/** Asks as fast as answers come, over so many connections. Throws when anything was refused, failed or late. */
export async function loadHttp(load: HttpLoad): Promise<Run> {
  const { url, connections, seconds, method, next, answered } = load;
  const before = load.cpuSeconds();
  let refusal = '';
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    timeout: answerWithinSeconds,
    requests: [
      {
        method,
        setupRequest: (request, asked) => ({ ...request, ...next(asked) }),
        onResponse(status, body, asked, headers) {
          if (status >= 300) refusal ||= `${status} ${body}`;
          else answered?.(body, headers, asked);
        },
      },
    ],
  });
  const { latency, non2xx, errors, timeouts } = result;
  if (non2xx + errors + timeouts > 0)
    throw new Error(
      `${non2xx} refusals, ${errors} errors and ${timeouts} timeouts among the answers. ${refusal}`,
    );
  return {
    count: result['2xx'],
    seconds: result.duration,
    cpuSeconds: load.cpuSeconds() - before,
    latency: { p50Ms: latency.p50, p99Ms: latency.p99 },
  };
}
