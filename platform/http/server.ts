import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import Koa from 'koa';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { continueTrace } from '../telemetry/trace.ts';
import type { BoundRoute } from './bind.ts';
import { clientIpBehind } from './client-ip.ts';
import { cors, setSecurityHeaders } from './headers.ts';
import { type HealthCheck, operations } from './operations.ts';
import { type HttpProblemCode, httpProblem, problemDocument } from './problems.ts';
import { etag, problems, record, trace } from './request.ts';
import { type KnownRoute, refuseUnknown, serveRoutes } from './routing.ts';

export interface HttpServerOptions {
  host: string;
  /** 0 takes any free one. */
  port: number;
  log: Logger;
  metrics: Metrics;
  routes: readonly BoundRoute[];
  /** Every route of the product, so that a wrong method is told from a wrong address. */
  known: readonly KnownRoute[];
  checks: readonly HealthCheck[];
  corsOrigins: readonly string[];
  trustedProxies: readonly string[];
}

export interface HttpServer {
  port: number;
  /** Takes no more, lets what runs finish within the limit, then cuts. */
  close(limitMs?: number): Promise<void>;
}

/** Bytes of a request's line and headers; nginx passes on 32 KiB at most, and says so by itself. */
const maxHeaderSize = 40 * 1024;

/** The HTTP edge of a service: what every answer has in common, the same in each room. Listens when it resolves. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  let closing = false;
  const app = createApp(options, () => closing);
  const server = createServer(
    { maxHeaderSize, headersTimeout: 10_000, requestTimeout: 30_000 },
    app.callback(),
  );
  // Longer than the front door keeps an idle connection, so that it never writes into one we have just closed.
  server.keepAliveTimeout = 75_000;
  server.maxConnections = 4_096;
  server.on('clientError', refuseBroken(options.log));
  await listening(server, options);
  const { port } = server.address() as AddressInfo;
  options.log.info({ host: options.host, port }, 'listening');
  return {
    port,
    async close(limitMs = 8_000) {
      closing = true;
      const cut = setTimeout(() => server.closeAllConnections(), limitMs);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
      clearTimeout(cut);
    },
  };
}

function createApp(options: HttpServerOptions, closing: () => boolean): Koa {
  const { log, metrics } = options;
  const app = new Koa();
  app.on('error', (error) => log.warn({ err: error }, 'answer not sent'));
  app.use(async (ctx, next) => {
    if (closing()) ctx.set('Connection', 'close');
    await next();
  });
  app.use(operations({ metrics, checks: options.checks, closing }));
  app.use(trace);
  app.use(setSecurityHeaders);
  app.use(record(log, metrics, clientIpBehind(options.trustedProxies)));
  app.use(problems(log));
  app.use(cors(options.corsOrigins));
  app.use(etag);
  app.use(serveRoutes(options.routes, options.known));
  app.use(refuseUnknown(options.known));
  return app;
}

function listening(server: Server, { host, port }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

const brokenCodes: Record<string, HttpProblemCode> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
};

/** What is not even HTTP never reaches the app, and still gets a problem document, with a trace id that is logged. */
function refuseBroken(log: Logger) {
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const code = brokenCodes[error.code ?? ''] ?? 'request_invalid';
    const { traceId } = continueTrace(undefined);
    log.info({ traceId, code, reason: error.code }, 'request refused');
    const problem = httpProblem(code, code === 'request_invalid' ? { detail: 'This is not HTTP/1.1.' } : {});
    const body = JSON.stringify(problemDocument(problem, traceId));
    const headers = [
      'Connection: close',
      `X-Request-Id: ${traceId}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
  };
}
