import type { Context, Next } from 'koa';
import type { Metrics } from '../telemetry/metrics.ts';

/** A part this process leans on. `check` throws, with what is wrong and what to do, when the part is not well. */
export interface HealthCheck {
  name: string;
  /** Without it this process can't serve; anything else is told as degraded. */
  required: boolean;
  check(): Promise<void>;
}

export interface OperationsOptions {
  metrics: Metrics;
  checks: readonly HealthCheck[];
  /** True once the process is on its way out. */
  closing(): boolean;
}

const checkLimitMs = 1_000;

/** /metrics, /healthz (the process runs) and /readyz (it can serve; F-OP7). Neither counted nor logged. */
export function operations(options: OperationsOptions) {
  return async (ctx: Context, next: Next): Promise<void> => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    if (ctx.path === '/healthz') ctx.body = { status: 'alive' };
    else if (ctx.path === '/readyz') await readiness(ctx, options);
    else if (ctx.path === '/metrics') await metricsPage(ctx, options.metrics);
    else await next();
  };
}

async function metricsPage(ctx: Context, { registry }: Metrics): Promise<void> {
  ctx.body = await registry.metrics();
  ctx.set('Content-Type', registry.contentType);
}

async function readiness(ctx: Context, { checks, closing }: OperationsOptions): Promise<void> {
  const results = await Promise.all(checks.map(run));
  const failed = results.some((result) => result.required && !result.ok) || closing();
  const degraded = results.some((result) => !result.ok);
  ctx.status = failed ? 503 : 200;
  ctx.body = {
    status: failed ? 'unavailable' : degraded ? 'degraded' : 'ready',
    closing: closing(),
    checks: results,
  };
}

async function run({ name, required, check }: HealthCheck) {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${checkLimitMs} ms`)), checkLimitMs);
  });
  try {
    await Promise.race([check(), late]);
    return { name, required, ok: true };
  } catch (error) {
    return { name, required, ok: false, detail: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}
