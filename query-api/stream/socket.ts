import type {
  HttpRequest,
  HttpResponse,
  us_socket_context_t,
  WebSocket,
  WebSocketBehavior,
} from 'uWebSockets.js';
import { type ControlFrame, streamEnds } from '../../schemas/notify/frame.ts';
import { answerProblem } from './answers.ts';
import { begin, renew } from './conduct.ts';
import { drained, tell } from './delivery.ts';
import type { Edge } from './edge.ts';
import type { Opening } from './opening.ts';
import { queryFault } from './query.ts';
import { end, left, newReader, type Outlet, type Reader, type ReaderParts, refuseFull } from './reader.ts';
import { bearerOf, protocolsOf } from './request.ts';

/** What a socket carries from its upgrade to its close. */
interface SocketData {
  traceId: string;
  opening: Opening;
  reader: Reader | null;
  /** Messages of the second that began at `since`. */
  messages: number;
  since: number;
}

type Socket = WebSocket<SocketData>;

/** GET /ws: the stream over a WebSocket (F-RT1). */
export function socketRoutes(
  parts: ReaderParts,
  edge: (req: HttpRequest) => Edge,
): WebSocketBehavior<SocketData> {
  const { settings } = parts;
  return {
    maxPayloadLength: settings.messageBytes,
    idleTimeout: settings.idleSeconds,
    sendPingsAutomatically: true,
    // Above our own limit: delivery cuts the client first, so that nothing is dropped in silence.
    maxBackpressure: settings.bufferBytes * 4,
    upgrade: (res, req, context) => upgrade(parts, res, req, edge(req), context),
    open: (socket) => open(parts, socket),
    message: (socket, message) =>
      receiveMessage(socket, Buffer.from(message).toString(), settings.messagesPerSecond),
    drain: (socket) => drained(socket.getUserData().reader!),
    close: (socket) => left(socket.getUserData().reader!),
  };
}

function upgrade(
  parts: ReaderParts,
  res: HttpResponse,
  req: HttpRequest,
  edge: Edge,
  context: us_socket_context_t,
): void {
  const { traceId } = edge;
  if (!parts.connections.hasRoom()) {
    refuseFull(parts, traceId);
    answerProblem(res, edge, 'server_full', 'Try again in a moment');
    return;
  }
  const protocols = protocolsOf(req.getHeader('sec-websocket-protocol'));
  const opening = {
    token: bearerOf(req.getHeader('authorization')) ?? protocols.token ?? req.getQuery('token') ?? null,
    cursor: req.getQuery('cursor') ?? null,
    types: req.getQuery('types') ?? null,
    fault: queryFault(req.getQuery()),
  };
  res.upgrade<SocketData>(
    { traceId, opening, reader: null, messages: 0, since: 0 },
    req.getHeader('sec-websocket-key'),
    protocols.chosen,
    req.getHeader('sec-websocket-extensions'),
    context,
  );
}

function open(parts: ReaderParts, socket: Socket): void {
  const data = socket.getUserData();
  data.reader = newReader(parts, outletOf(socket), data.traceId, Date.now());
  parts.connections.opened(data.reader);
  // Without a token it comes with the first message; tick() ends a socket that never sends one.
  if (data.opening.token) void begin(data.reader, data.opening);
}

function outletOf(socket: Socket): Outlet {
  return {
    transport: 'websocket',
    send: (text) => void socket.send(text),
    together: (work) => void socket.cork(work),
    buffered: () => socket.getBufferedAmount(),
    end(code, detail) {
      const { traceId } = socket.getUserData();
      const last: ControlFrame = { type: 'error', code, detail, traceId };
      socket.send(JSON.stringify(last));
      socket.end(streamEnds[code].close, code);
    },
    keepAlive: () => {},
  };
}

function receiveMessage(socket: Socket, text: string, perSecond: number): void {
  const data = socket.getUserData();
  const reader = data.reader!;
  const message = parse(text);
  if (!countMessage(data, perSecond)) end(reader, 'too_many_messages', `At most ${perSecond} a second`);
  else if (message?.type === 'ping') tell(reader, { type: 'pong' }, null);
  else if (isAuth(message)) authenticate(data, message);
  else end(reader, 'message_invalid', 'Send {"type":"auth","token":…} or {"type":"ping"}');
}

/** The first token opens the stream, a later one prolongs it. */
function authenticate(data: SocketData, { token, cursor, types }: AuthMessage): void {
  const reader = data.reader!;
  if (data.opening.token) {
    void renew(reader, token);
    return;
  }
  data.opening = {
    ...data.opening,
    token,
    cursor: cursor == null ? data.opening.cursor : String(cursor),
    types: types == null ? data.opening.types : String(types),
  };
  void begin(reader, data.opening);
}

function countMessage(data: SocketData, perSecond: number): boolean {
  const now = Date.now();
  if (now - data.since >= 1_000) Object.assign(data, { since: now, messages: 0 });
  data.messages += 1;
  return data.messages <= perSecond;
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/** A cursor may come as a number, a filter as a list. */
interface AuthMessage {
  token: string;
  cursor?: string | number | null;
  types?: string | string[] | null;
}

/** Nothing else may become text: an object with a toString of its own throws, and what throws here ends the node. */
function isAuth(message: Record<string, unknown> | null): message is AuthMessage & Record<string, unknown> {
  if (message?.type !== 'auth' || typeof message.token !== 'string') return false;
  const { cursor, types } = message;
  const listed = Array.isArray(types) && types.every((name) => typeof name === 'string');
  return (
    (cursor == null || typeof cursor === 'string' || typeof cursor === 'number') &&
    (types == null || typeof types === 'string' || listed)
  );
}
