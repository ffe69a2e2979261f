import http from 'node:http';
import https from 'node:https';

export interface Answer {
  status: number;
  /** Parsed JSON; null when there is none. */
  body: Record<string, unknown> | null;
  /** The X-Position of a write. */
  position: string | null;
}

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  token?: string;
  body?: unknown;
  idempotencyKey?: string;
  minPosition?: string | null;
}

export interface Client {
  /** Sends until there is an answer that a repeat would not change; throws when it stays unreachable. */
  call(call: Call): Promise<Answer>;
  /** PUT of bytes to a presigned address, outside of the API. */
  put(url: string, headers: Record<string, string>, bytes: Buffer): Promise<number>;
  /** Sendings that had to be repeated. */
  retries(): number;
  close(): void;
}

/** A refusal that was not expected of a command. */
export class Refused extends Error {
  readonly code: string;

  constructor(call: Call, answer: Answer) {
    const code = codeOf(answer);
    const detail = answer.body?.detail ?? answer.body?.title ?? '';
    super(`${call.method} ${call.path} was answered ${answer.status} ${code}: ${detail}`);
    this.code = code;
  }
}

export function codeOf(answer: Answer): string {
  const type = answer.body?.type;
  return typeof type === 'string' ? type.replace(/^.*\/problems\//, '') : `status_${answer.status}`;
}

const attempts = 10;
const firstPauseMs = 100;
const longestPauseMs = 5_000;
const answerWithinMs = 60_000;
const passing = new Set(['outcome_unknown', 'position_timeout', 'dependency_unavailable']);

/** Speaks to the public API over kept connections. A repeat is safe: keys are the caller's, effects are idempotent. */
export function createClient(publicUrl: string, connections: number): Client {
  const base = new URL(publicUrl);
  const transport = base.protocol === 'https:' ? https : http;
  const agents = {
    'http:': new http.Agent({ keepAlive: true, maxSockets: connections }),
    'https:': new https.Agent({ keepAlive: true, maxSockets: connections }),
  };
  let repeated = 0;
  const once = (call: Call): Promise<Answer & { retryAfter: number }> => {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const options = {
      method: call.method,
      agent: agents[base.protocol as 'http:'],
      headers: headersOf(call, body),
      timeout: answerWithinMs,
    };
    return new Promise((resolve, reject) => {
      const request = transport.request(new URL(call.path, base), options, (response) => {
        collect(response).then((text) => resolve(answerOf(response, text)), reject);
      });
      request.on('timeout', () => request.destroy(new Error('no answer in time')));
      request.on('error', reject);
      request.end(body);
    });
  };
  return {
    async call(call) {
      for (let attempt = 1; ; attempt += 1) {
        const answer = await once(call).catch((error: Error) => error);
        const last = attempt === attempts;
        if (answer instanceof Error) {
          if (last)
            throw new Error(`${call.method} ${base.origin}${call.path} can't be reached: ${answer.message}`);
        } else if (last || !isPassing(answer)) return answer;
        repeated += 1;
        const asked = answer instanceof Error ? 0 : answer.retryAfter;
        await pause(Math.max(asked, Math.min(firstPauseMs * 2 ** attempt, longestPauseMs)));
      }
    },
    async put(url, headers, bytes) {
      const answer = await fetch(url, {
        method: 'PUT',
        headers,
        body: new Uint8Array(bytes),
        signal: AbortSignal.timeout(answerWithinMs),
      });
      await answer.arrayBuffer();
      return answer.status;
    },
    retries: () => repeated,
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function headersOf(call: Call, body: string | undefined): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(Buffer.byteLength(body));
  }
  if (call.token) headers.authorization = `Bearer ${call.token}`;
  if (call.idempotencyKey) headers['idempotency-key'] = call.idempotencyKey;
  if (call.minPosition) headers['x-min-position'] = call.minPosition;
  return headers;
}

async function collect(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function answerOf(response: http.IncomingMessage, text: string): Answer & { retryAfter: number } {
  const isJson = /json/.test(response.headers['content-type'] ?? '');
  return {
    status: response.statusCode ?? 0,
    body: isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : null,
    position: (response.headers['x-position'] as string | undefined) ?? null,
    retryAfter: Number(response.headers['retry-after'] ?? 0) * 1_000,
  };
}

/** 429 and 503 say so themselves; 502 and 504 are the front door's, while a service restarts. */
function isPassing(answer: Answer): boolean {
  if (answer.status === 429 || answer.status === 502 || answer.status === 504) return true;
  if (answer.status !== 503) return false;
  return answer.body === null || passing.has(codeOf(answer));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
