import type { StreamEnd } from '../../schemas/notify/frame.ts';
import type { WireFrame } from './wire.ts';

/** A frame that was looked at; `hidden` when its reader may not see what it tells of, or no longer. */
export interface JudgedFrame extends WireFrame {
  hidden?: boolean;
}

/**
 * One reader's place in their stream. Pure: inputs change it and answer with effects, and whoever holds it carries
 * them out (reader.ts). There is one way on, for backfill, cut-over, holes and lost messages alike: frames are let
 * through in order; live ones that come before their turn wait in `early`; whatever is known to exist and is not
 * there is fetched from history (DESIGN §8).
 */
export interface Session {
  /** null: every type. */
  wants: ReadonlySet<string> | null;
  /** The last seq let through: sent, filtered or hidden. -1 until the start. */
  position: number;
  /** The last seq that the reader was told of, by a frame or a cursor. */
  announced: number;
  /** The newest seq known to exist. */
  known: number;
  /** Live frames ahead of their turn. Bounded: what does not fit is fetched from history later. */
  early: Map<number, JudgedFrame>;
  fetching: boolean;
  /** Caught up once; from then on a reader that does not keep up is cut, not waited for. */
  live: boolean;
  limits: SessionLimits;
}

export interface SessionLimits {
  earlyFrames: number;
  pageFrames: number;
  /** Frames left out in a row after which the reader is told the cursor at once. */
  cursorEvery: number;
}

/** What history had from after `after`, in order. */
export interface HistoryPage {
  after: number;
  frames: readonly JudgedFrame[];
}

export type Input =
  | { kind: 'start'; position: number; head: number }
  | { kind: 'frame'; frame: JudgedFrame }
  | { kind: 'head'; seq: number }
  | ({ kind: 'page' } & HistoryPage)
  | { kind: 'tick' };

export type Effect =
  | { kind: 'send'; frame: WireFrame }
  | { kind: 'cursor'; seq: number }
  /** History from after `after` up to `upTo` inclusive is wanted; exactly one is under way at a time. */
  | { kind: 'fetch'; after: number; upTo: number }
  | { kind: 'end'; code: StreamEnd; detail: string };

const notStarted = -1;

export function newSession(wants: ReadonlySet<string> | null, limits: SessionLimits): Session {
  return {
    wants,
    position: notStarted,
    announced: notStarted,
    known: notStarted,
    early: new Map(),
    fetching: false,
    live: false,
    limits,
  };
}

/** Takes one input and answers with what is to be done, in order. */
export function receive(session: Session, input: Input): Effect[] {
  const effects: Effect[] = [];
  if (input.kind === 'tick') return announce(session, effects, 1);
  if (input.kind === 'start') start(session, input.position, input.head);
  if (input.kind === 'frame') keep(session, input.frame);
  if (input.kind === 'head') session.known = Math.max(session.known, input.seq);
  if (input.kind === 'page' && !takePage(session, input, effects)) return effects;
  return advance(session, effects);
}

function start(session: Session, position: number, head: number): void {
  session.position = position;
  session.announced = position;
  session.known = Math.max(session.known, head);
}

function keep(session: Session, frame: JudgedFrame): void {
  session.known = Math.max(session.known, frame.seq);
  if (frame.seq > session.position && session.early.size < session.limits.earlyFrames) {
    session.early.set(frame.seq, frame);
  }
}

/** Lets a page through. False when history no longer has what comes next: retention went past the reader. */
function takePage(session: Session, page: HistoryPage, effects: Effect[]): boolean {
  session.fetching = false;
  for (const frame of page.frames) {
    if (frame.seq <= session.position) continue;
    if (frame.seq !== session.position + 1) return gone(session, effects);
    pass(session, frame, effects);
  }
  // Live frames may have filled the hole meanwhile; only a page that brought nobody on tells of lost history.
  return session.position > page.after || gone(session, effects);
}

function gone(session: Session, effects: Effect[]): false {
  const detail = `Frame ${session.position + 1} is no longer kept; connect without a cursor and read the current state`;
  effects.push({ kind: 'end', code: 'cursor_too_old', detail });
  return false;
}

function advance(session: Session, effects: Effect[]): Effect[] {
  if (session.position === notStarted) return effects;
  for (let next = takeEarly(session); next; next = takeEarly(session)) pass(session, next, effects);
  if (session.position < session.known) return fetchNext(session, effects);
  session.early.clear();
  if (session.live) return announce(session, effects, session.limits.cursorEvery);
  session.live = true;
  return announce(session, effects, 1);
}

function takeEarly(session: Session): JudgedFrame | undefined {
  const next = session.early.get(session.position + 1);
  if (next) session.early.delete(next.seq);
  return next;
}

function pass(session: Session, frame: JudgedFrame, effects: Effect[]): void {
  session.position = frame.seq;
  if (frame.hidden || (session.wants && !session.wants.has(frame.type))) return;
  session.announced = frame.seq;
  effects.push({ kind: 'send', frame });
}

/** Asks for the hole in front of the reader: as far as the first early frame, a page at most. */
function fetchNext(session: Session, effects: Effect[]): Effect[] {
  announce(session, effects, session.limits.cursorEvery);
  if (session.fetching) return effects;
  session.fetching = true;
  const after = session.position;
  let upTo = Math.min(session.known, after + session.limits.pageFrames);
  for (const seq of session.early.keys()) {
    if (seq <= after) session.early.delete(seq);
    else if (seq <= upTo) upTo = seq - 1;
  }
  effects.push({ kind: 'fetch', after, upTo });
  return effects;
}

/** Tells the cursor when at least so many frames in a row were left out. */
function announce(session: Session, effects: Effect[], atLeast: number): Effect[] {
  if (session.position - session.announced < atLeast) return effects;
  session.announced = session.position;
  effects.push({ kind: 'cursor', seq: session.position });
  return effects;
}
