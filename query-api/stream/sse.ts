import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { ControlFrame } from '../../schemas/notify/frame.ts';
import { answerProblem, writeHead } from './answers.ts';
import { begin } from './conduct.ts';
import { drained } from './delivery.ts';
import type { Edge } from './edge.ts';
import { queryFault } from './query.ts';
import { left, newReader, type Outlet, type ReaderParts, refuseFull } from './reader.ts';
import { bearerOf } from './request.ts';

/** GET /api/stream: the same stream as Server-Sent Events (F-RT2). The id of an event is a cursor. */
export function openEventStream(parts: ReaderParts, res: HttpResponse, req: HttpRequest, edge: Edge): void {
  if (!parts.connections.hasRoom()) {
    refuseFull(parts, edge.traceId);
    answerProblem(res, edge, 'server_full', 'Try again in a moment');
    return;
  }
  const opening = {
    token: bearerOf(req.getHeader('authorization')) ?? req.getQuery('token') ?? null,
    cursor: req.getHeader('last-event-id') || (req.getQuery('cursor') ?? null),
    types: req.getQuery('types') ?? null,
    fault: queryFault(req.getQuery()),
  };
  const outlet = eventOutlet(res, edge, () => drained(reader));
  const reader = newReader(parts, outlet, edge.traceId, Date.now());
  res.onAborted(() => {
    outlet.gone();
    left(reader);
  });
  parts.connections.opened(reader);
  void begin(reader, opening);
}

/**
 * The response as an outlet. The engine doesn't say how many bytes wait in it, so nothing is written while it is
 * full: what waits is here, and counted. It drops by itself who takes nothing for ten seconds once it is full; like
 * everybody who was cut, they come back with their cursor. A refusal before the first event is a problem answer.
 */
function eventOutlet(res: HttpResponse, edge: Edge, onRoom: () => void): Outlet & { gone(): void } {
  const waiting: string[] = [];
  const state = { started: false, full: false, closed: false, bytes: 0 };

  const write = (text: string): void => {
    if (state.closed) return;
    if (state.full) {
      waiting.push(text);
      state.bytes += Buffer.byteLength(text);
      return;
    }
    res.cork(() => {
      if (!state.started) startEvents(res, edge);
      state.started = true;
      state.full = !res.write(text);
    });
  };
  const flush = (): void => {
    state.full = false;
    while (!state.full && waiting.length > 0) {
      const text = waiting.shift()!;
      state.bytes -= Buffer.byteLength(text);
      state.full = !res.write(text);
    }
  };
  res.onWritable(() => {
    res.cork(flush);
    onRoom();
    return true;
  });
  return {
    transport: 'sse',
    send: (text, id) => write(`${id === null ? '' : `id: ${id}\n`}data: ${text}\n\n`),
    together: (work) => work(),
    buffered: () => state.bytes,
    keepAlive() {
      if (state.started && !state.full) write(': here\n\n');
    },
    end(code, detail) {
      if (state.closed) return;
      state.closed = true;
      if (state.started) finish(res, waiting, { type: 'error', code, detail, traceId: edge.traceId });
      else answerProblem(res, edge, code, detail);
    },
    gone() {
      state.closed = true;
    },
  };
}

function startEvents(res: HttpResponse, { headers }: Edge): void {
  writeHead(res, '200 OK', {
    ...headers,
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
}

/**
 * What waited is let go: the client comes back with its cursor and gets it from history. The connection is not asked to
 * be closed: behind the head the engine would write that into the body, which is no HTTP any more.
 */
function finish(res: HttpResponse, waiting: string[], last: ControlFrame): void {
  waiting.length = 0;
  res.cork(() => void res.end(`event: error\ndata: ${JSON.stringify(last)}\n\n`));
}
