import type { Context, Next } from 'koa';

/** What keeps a browser from doing anything with an answer but showing it. */
export const securityHeaders: Record<string, string> = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
};

const allowedHeaders =
  'Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Min-Position, traceparent';
const exposedHeaders = 'ETag, Location, Retry-After, X-As-Of, X-Position, X-Request-Id, traceparent';

export async function setSecurityHeaders(ctx: Context, next: Next): Promise<void> {
  ctx.set(securityHeaders);
  await next();
}

/** The headers of an answer to a page of this origin ('' when the client names none); '*' among the origins is all. */
export function crossOriginHeaders(origins: readonly string[], origin: string): Record<string, string> {
  if (origins.length === 0) return {};
  if (!origin || !(origins.includes('*') || origins.includes(origin))) return { Vary: 'Origin' };
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': exposedHeaders,
  };
}

/** What a page that was allowed may send; the answer to its preflight. */
export const preflightHeaders: Record<string, string> = {
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, DELETE',
  'Access-Control-Allow-Headers': allowedHeaders,
  'Access-Control-Max-Age': '600',
};

/** CORS for the configured origins; tokens travel in a header, so credentials are never allowed. */
export function cors(origins: readonly string[]) {
  return async (ctx: Context, next: Next): Promise<void> => {
    const headers = crossOriginHeaders(origins, ctx.get('origin'));
    ctx.set(headers);
    const preflight = ctx.method === 'OPTIONS' && ctx.get('access-control-request-method') !== '';
    if (!preflight || !headers['Access-Control-Allow-Origin']) return next();
    ctx.set(preflightHeaders);
    ctx.status = 204;
  };
}
