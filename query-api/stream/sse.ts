import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { StreamEnd } from '../../schemas/notify/frame.ts';
import { answerProblem } from './answers.ts';
import { begin } from './conduct.ts';
import { drained } from './delivery.ts';
import { left, newReader, type Outlet, type ReaderParts } from './reader.ts';
import { bearerOf } from './request.ts';

/** GET /api/stream: the same stream as Server-Sent Events (F-RT2). The id of an event is a cursor. */
export function openEventStream(parts: ReaderParts, res: HttpResponse, req: HttpRequest): void {
  if (!parts.connections.hasRoom()) {
    answerProblem(res, 'server_full', 'Try again in a moment');
    return;
  }
  const opening = {
    token: bearerOf(req.getHeader('authorization')) ?? req.getQuery('token') ?? null,
    cursor: req.getHeader('last-event-id') || (req.getQuery('cursor') ?? null),
    types: req.getQuery('types') ?? null,
  };
  const outlet = eventOutlet(res, parts.settings.stallMs, () => drained(reader));
  const reader = newReader(parts, outlet, Date.now());
  res.onAborted(() => {
    outlet.gone();
    left(reader);
  });
  parts.connections.opened(reader);
  void begin(reader, opening);
}

/**
 * The response as an outlet. The engine doesn't say how many bytes wait in it, so nothing is written while it is
 * full: what waits is here, and counted. A refusal before the first event is an ordinary problem answer.
 */
function eventOutlet(res: HttpResponse, stallMs: number, onRoom: () => void): Outlet & { gone(): void } {
  const waiting: string[] = [];
  const state = { started: false, full: false, fullSince: 0, closed: false, bytes: 0 };

  // Never corked: a corked write that fits into the cork's buffer says yes to a client that takes nothing.
  const writeNow = (text: string): void => {
    const wasFull = state.full;
    state.full = !res.write(text);
    if (state.full && !wasFull) state.fullSince = Date.now();
  };

  const write = (text: string): void => {
    if (state.closed) return;
    if (state.full) {
      waiting.push(text);
      state.bytes += Buffer.byteLength(text);
      return;
    }
    if (!state.started) res.cork(() => startEvents(res));
    state.started = true;
    writeNow(text);
  };
  res.onWritable(() => {
    state.full = false;
    while (!state.full && waiting.length > 0) {
      const text = waiting.shift()!;
      state.bytes -= Buffer.byteLength(text);
      writeNow(text);
    }
    onRoom();
    return true;
  });
  return {
    transport: 'sse',
    send: (text, id) => write(`${id === null ? '' : `id: ${id}\n`}data: ${text}\n\n`),
    buffered: () => state.bytes,
    keepAlive() {
      if (!state.started || state.closed) return;
      // The engine drops whoever takes nothing for ten seconds after a write; a slow reader gets stallMs.
      if (state.full && Date.now() - state.fullSince > stallMs) return;
      writeNow(': here\n\n');
    },
    end(code, detail) {
      if (state.closed) return;
      state.closed = true;
      if (state.started) finish(res, waiting, code, detail);
      else answerProblem(res, code, detail);
    },
    gone() {
      state.closed = true;
    },
  };
}

function startEvents(res: HttpResponse): void {
  res
    .writeStatus('200 OK')
    .writeHeader('Content-Type', 'text/event-stream; charset=utf-8')
    .writeHeader('Cache-Control', 'no-store')
    .writeHeader('X-Accel-Buffering', 'no');
}

/** What waited is let go: the client comes back with its cursor and gets it from history. */
function finish(res: HttpResponse, waiting: string[], code: StreamEnd, detail: string): void {
  waiting.length = 0;
  const last = JSON.stringify({ type: 'error', code, detail });
  res.cork(() => void res.end(`event: error\ndata: ${last}\n\n`, true));
}
