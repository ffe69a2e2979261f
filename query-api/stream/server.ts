// Before the engine is loaded, which reads it then.
import './header-limit.ts';

import type { HttpRequest, HttpResponse, us_listen_socket } from 'uWebSockets.js';
import * as uWS from 'uWebSockets.js';
import { preflightHeaders } from '../../platform/http/headers.ts';
import { answerJson, answerProblem, writeHead } from './answers.ts';
import { type Edge, edgeOf } from './edge.ts';
import type { ReaderParts } from './reader.ts';
import { socketRoutes } from './socket.ts';
import { openEventStream } from './sse.ts';

export interface StreamServer {
  /** The port listened on; what was asked for unless that was 0. */
  port: number;
  /** No new streams, goodbye to the open ones, then closed, whoever still has not taken it. */
  close(): Promise<void>;
}

/** The stream node's own server: sockets, event streams, health and metrics on one port. Rejects when it can't listen. */
export async function openStreamServer(
  parts: ReaderParts,
  at: { host: string; port: number; corsOrigins: readonly string[] },
): Promise<StreamServer> {
  const edge = (req: HttpRequest): Edge => edgeOf(req, at.corsOrigins);
  const app = uWS
    .App()
    .ws('/ws', socketRoutes(parts, edge))
    .get('/ws', (res, req) =>
      answerProblem(res, edge(req), 'upgrade_required', 'Connect with a WebSocket', { Upgrade: 'websocket' }),
    )
    .get('/api/stream', (res, req) => openEventStream(parts, res, req, edge(req)))
    .options('/api/stream', (res, req) => answerPreflight(res, req, edge(req)))
    .get('/healthz', (res) => answerJson(res, '200 OK', { status: 'alive' }))
    .get('/readyz', (res) => answerReadiness(res, parts))
    .get('/metrics', (res) => void answerMetrics(res, parts))
    .any('/ws', (res, req) => refuseMethod(res, edge(req)))
    .any('/api/stream', (res, req) => refuseMethod(res, edge(req)))
    .any('/*', (res, req) => answerProblem(res, edge(req), 'route_not_found'));

  const listening = await new Promise<us_listen_socket>((resolve, reject) => {
    app.listen(at.host, at.port, (socket) =>
      socket
        ? resolve(socket)
        : reject(new Error(`Nothing can listen on ${at.host}:${at.port}; is it in use?`)),
    );
  });
  return {
    port: uWS.us_socket_local_port(listening as unknown as uWS.us_socket),
    async close() {
      uWS.us_listen_socket_close(listening);
      parts.connections.endAll();
      await new Promise((resolve) => setTimeout(resolve, goodbyeMs));
      app.close();
    },
  };
}

/** Long enough for a close frame to leave, short enough for a restart. */
const goodbyeMs = 300;

function refuseMethod(res: HttpResponse, edge: Edge): void {
  answerProblem(res, edge, 'method_not_allowed', 'It takes GET.', { Allow: 'GET' });
}

/** A page asks so before it sends a token or Last-Event-ID by a header. */
function answerPreflight(res: HttpResponse, req: HttpRequest, edge: Edge): void {
  const asked = req.getHeader('access-control-request-method') !== '';
  if (!asked || !edge.headers['Access-Control-Allow-Origin']) {
    refuseMethod(res, edge);
    return;
  }
  writeHead(res, '204 No Content', { ...edge.headers, ...preflightHeaders });
  res.endWithoutBody();
}

/** Without Redis the sweep serves, a second later: degraded. Without Postgres nothing can be resumed: unavailable. */
function answerReadiness(res: HttpResponse, { hub, connections }: ReaderParts): void {
  const { redis, postgres } = hub.health();
  const status = !postgres ? 'unavailable' : redis ? 'ready' : 'degraded';
  const checks = [
    { name: 'postgres', required: true, ok: postgres },
    { name: 'redis', required: false, ok: redis },
  ];
  answerJson(res, postgres ? '200 OK' : '503 Service Unavailable', {
    status,
    streams: connections.count(),
    checks,
  });
}

async function answerMetrics(res: HttpResponse, { metrics }: ReaderParts): Promise<void> {
  let gone = false;
  res.onAborted(() => {
    gone = true;
  });
  const page = await metrics.registry.metrics();
  if (gone) return;
  res.cork(() => void res.writeHeader('Content-Type', metrics.registry.contentType).end(page));
}
