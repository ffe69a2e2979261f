import type { Context, Next } from 'koa';

const security: Record<string, string> = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
};

const allowedHeaders =
  'Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Min-Position, traceparent';
const exposedHeaders = 'ETag, Location, Retry-After, X-As-Of, X-Position, X-Request-Id, traceparent';

/** What keeps a browser from doing anything with an answer but showing it. */
export async function securityHeaders(ctx: Context, next: Next): Promise<void> {
  ctx.set(security);
  await next();
}

/** CORS for the configured origins, '*' being all; tokens travel in a header, so credentials are never allowed. */
export function cors(origins: readonly string[]) {
  const any = origins.includes('*');
  return async (ctx: Context, next: Next): Promise<void> => {
    const origin = ctx.get('origin');
    if (origins.length > 0) ctx.vary('Origin');
    if (!origin || !(any || origins.includes(origin))) return next();
    ctx.set('Access-Control-Allow-Origin', origin);
    if (ctx.method !== 'OPTIONS' || !ctx.get('access-control-request-method')) {
      ctx.set('Access-Control-Expose-Headers', exposedHeaders);
      return next();
    }
    ctx.set('Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, DELETE');
    ctx.set('Access-Control-Allow-Headers', allowedHeaders);
    ctx.set('Access-Control-Max-Age', '600');
    ctx.status = 204;
  };
}
