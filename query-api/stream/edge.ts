import type { HttpRequest } from 'uWebSockets.js';
import { crossOriginHeaders, securityHeaders } from '../../platform/http/headers.ts';
import { continueTrace } from '../../platform/telemetry/trace.ts';

/** What every answer of this node has in common, made before anything else of a request is looked at. */
export interface Edge {
  traceId: string;
  /** Trace, security and CORS, the same as of every other service. */
  headers: Record<string, string>;
}

/** The edge of a request. Call it at once: the engine's request is gone when the handler returns. */
export function edgeOf(req: HttpRequest, corsOrigins: readonly string[]): Edge {
  const { traceId, traceparent } = continueTrace(req.getHeader('traceparent') || undefined);
  return {
    traceId,
    headers: {
      traceparent,
      'X-Request-Id': traceId,
      ...securityHeaders,
      ...crossOriginHeaders(corsOrigins, req.getHeader('origin')),
    },
  };
}
