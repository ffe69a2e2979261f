import { createHash } from 'node:crypto';
import type { Context, Next } from 'koa';
import type { ProblemError } from '../errors/problem.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { currentTrace, runWithTrace } from '../telemetry/trace.ts';
import { ClientGone } from './body.ts';
import type { ClientIp } from './client-ip.ts';
import { problemDocument, problemFrom } from './problems.ts';

/** Runs the request in the caller's trace or a new one, and says which. */
export async function trace(ctx: Context, next: Next): Promise<void> {
  const given = ctx.get('traceparent') || undefined;
  await runWithTrace(given, async () => {
    const { traceId, traceparent } = currentTrace()!;
    ctx.set('traceparent', traceparent);
    ctx.set('X-Request-Id', traceId);
    await next();
  });
}

/** One line and one measure a request. Neither the address nor the query is told: they hold names and tokens. */
export function record(log: Logger, metrics: Metrics, clientIp: ClientIp) {
  const requests = metrics.counter('http_requests_total', 'Requests answered', ['route', 'method', 'code']);
  const durations = metrics.histogram('http_request_duration_seconds', 'Time to answer', ['route', 'method']);
  return async (ctx: Context, next: Next): Promise<void> => {
    const started = performance.now();
    ctx.state.clientIp = clientIp(ctx.req.socket.remoteAddress, ctx.get('x-forwarded-for'));
    await next();
    const durationMs = performance.now() - started;
    const { route = 'unknown', userId, problem } = ctx.state;
    const labels = { route, method: ctx.method };
    requests.inc({ ...labels, code: ctx.status });
    durations.observe(labels, durationMs / 1000);
    log.info(
      { ...labels, status: ctx.status, durationMs: Math.round(durationMs * 10) / 10, userId, code: problem },
      'request',
    );
  };
}

/** Every error leaves as a problem document. What is our own fault is logged with its cause. */
export function problems(log: Logger) {
  return async (ctx: Context, next: Next): Promise<void> => {
    try {
      await next();
    } catch (error) {
      if (error instanceof ClientGone) {
        ctx.respond = false;
        ctx.status = 499;
        return;
      }
      const problem = problemFrom(error);
      tell(log, problem);
      ctx.state.problem = problem.code;
      ctx.status = problem.status;
      if (problem.status === 401) ctx.set('WWW-Authenticate', 'Bearer');
      if (problem.status === 503) ctx.set('Retry-After', '1');
      if (problem.code === 'body_too_large') ctx.set('Connection', 'close');
      ctx.set('Cache-Control', 'no-store');
      ctx.body = JSON.stringify(problemDocument(problem, currentTrace()?.traceId));
      ctx.type = 'application/problem+json';
    }
  };
}

/** A bug is an error with its stack; a part that does not answer, or a view that is late, is worth a warning. */
function tell(log: Logger, problem: ProblemError): void {
  const { code, status, cause } = problem;
  if (status === 503) log.warn({ err: cause, code }, problem.message);
  else if (status >= 500) log.error({ err: cause ?? problem, code }, problem.message);
}

/** A weak ETag of what GETs answer; 304 when the client has it. */
export async function etag(ctx: Context, next: Next): Promise<void> {
  await next();
  const { body } = ctx;
  if ((ctx.method !== 'GET' && ctx.method !== 'HEAD') || ctx.status !== 200) return;
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return;
  const tag = `W/"${createHash('sha1').update(body).digest('base64url')}"`;
  ctx.set('ETag', tag);
  // Not ctx.fresh: it sends everything again to clients whose fetch adds Cache-Control: no-cache by itself.
  const known = ctx.get('if-none-match').split(',');
  if (known.some((item) => item.trim() === tag)) ctx.status = 304;
}
