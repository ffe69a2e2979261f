import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import Koa from 'koa';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { BoundRoute } from './bind.ts';
import { clientIpBehind } from './client-ip.ts';
import { cors, securityHeaders } from './headers.ts';
import { type HealthCheck, operations } from './operations.ts';
import { httpProblems } from './problems.ts';
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
  maxConnections?: number;
}

export interface HttpServer {
  port: number;
  /** Takes no more, lets what runs finish within the limit, then cuts. */
  close(limitMs?: number): Promise<void>;
}

/** The HTTP edge of a service: what every answer has in common, the same in each room. Listens when it resolves. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  let closing = false;
  const app = createApp(options, () => closing);
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, app.callback());
  // Longer than the front door keeps an idle connection, so that it never writes into one we have just closed.
  server.keepAliveTimeout = 75_000;
  server.maxConnections = options.maxConnections ?? 4_096;
  server.on('clientError', refuseBroken);
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
  app.use(securityHeaders);
  app.use(record(log, metrics, clientIpBehind(options.trustedProxies)));
  app.use(problems(log));
  app.use(cors(options.corsOrigins));
  app.use(etag);
  app.use(serveRoutes(options.routes));
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

const brokenStatus: Record<string, string> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

/** What is not even HTTP never reaches the app, and still gets a problem document. */
function refuseBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const line = brokenStatus[error.code ?? ''] ?? '400 Bad Request';
  const code = 'request_invalid';
  const status = Number(line.slice(0, 3));
  const document = { type: `/problems/${code}`, ...httpProblems[code], status, code, detail: line.slice(4) };
  const body = JSON.stringify(document);
  socket.end(
    `HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
