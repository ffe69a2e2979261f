import { randomUUID } from 'node:crypto';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { StreamEnd } from '../../schemas/notify/frame.ts';
import type { Identity, Verifier } from './auth.ts';
import type { History } from './history.ts';
import type { Hub } from './hub.ts';
import type { StreamMetrics } from './metrics.ts';
import type { Session } from './session.ts';
import type { StreamSettings } from './settings.ts';

/** The way to one client, whatever the transport. */
export interface Outlet {
  transport: 'websocket' | 'sse';
  /** `id` is the cursor at which the text leaves the client; null when it moves none. */
  send(text: string, id: number | null): void;
  /** What the work sends leaves in as few writes as the transport can. */
  together(work: () => void): void;
  /** Bytes that the client has not taken yet. */
  buffered(): number;
  /** Says why, then closes. */
  end(code: StreamEnd, detail: string): void;
  /** Something small, so that nobody on the way takes silence for death. */
  keepAlive(): void;
}

/** Every stream of this node, counted and bounded. */
export interface Connections {
  /** Whether one more may open here. */
  hasRoom(): boolean;
  opened(reader: Reader): void;
  /** Counts the stream as this user's; false when they have too many. */
  claim(userId: string): boolean;
  closed(reader: Reader, userId: string | null): void;
  count(): number;
  /** Tells every client to connect again elsewhere. */
  endAll(): void;
  close(): void;
}

export interface ReaderParts {
  settings: StreamSettings;
  verifier: Verifier;
  connections: Connections;
  hub: Hub;
  history: History;
  log: Logger;
  metrics: StreamMetrics;
  /** Whether one more delivery may be logged at info this second. */
  mayLog(): boolean;
}

/** One open stream: a session, and what carries out its effects. */
export interface Reader {
  id: string;
  /** Of the request that opened it; every refusal tells it. */
  traceId: string;
  parts: ReaderParts;
  outlet: Outlet;
  openedAt: number;
  identity: Identity | null;
  session: Session | null;
  leave: (() => void) | null;
  ended: boolean;
  /** Set while history waits for the client to take what was sent. */
  room: { found(enough: boolean): void; bytes: number; since: number } | null;
  cursorToldAt: number;
  keptAliveAt: number;
}

export function newReader(parts: ReaderParts, outlet: Outlet, traceId: string, now: number): Reader {
  return {
    id: randomUUID(),
    traceId,
    parts,
    outlet,
    openedAt: now,
    identity: null,
    session: null,
    leave: null,
    ended: false,
    room: null,
    cursorToldAt: now,
    keptAliveAt: now,
  };
}

/** A request for a stream that this node takes no more of. */
export function refuseFull({ metrics, log }: ReaderParts, traceId: string): void {
  metrics.ended.inc({ code: 'server_full' });
  log.info({ traceId, code: 'server_full' }, 'stream refused');
}

/** Ends the stream from our side. */
export function end(reader: Reader, code: StreamEnd, detail: string): void {
  if (reader.ended) return;
  reader.parts.metrics.ended.inc({ code });
  logEdge(reader, 'stream ended', { code });
  release(reader);
  reader.outlet.end(code, detail);
}

/** The connection is gone. */
export function left(reader: Reader): void {
  if (reader.ended) return;
  logEdge(reader, 'stream closed');
  release(reader);
}

function release(reader: Reader): void {
  reader.ended = true;
  reader.leave?.();
  reader.room?.found(false);
  reader.parts.connections.closed(reader, reader.identity?.userId ?? null);
}

/** One line at each edge of a stream's life; ids only. */
export function logEdge(reader: Reader, message: string, more: object = {}): void {
  const { id: stream, traceId, identity, session, outlet } = reader;
  reader.parts.log.info(
    {
      stream,
      traceId,
      userId: identity?.userId,
      transport: outlet.transport,
      position: session?.position,
      ...more,
    },
    message,
  );
}
