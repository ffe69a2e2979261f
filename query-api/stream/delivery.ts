import type { ControlFrame } from '../../schemas/notify/frame.ts';
import { end, type Reader } from './reader.ts';
import { type Effect, type Input, type JudgedFrame, receive } from './session.ts';
import type { WireFrame } from './wire.ts';

/** Gives the session an input and carries out what follows from it, in order. */
export function take(reader: Reader, input: Input): void {
  if (reader.ended || !reader.session) return;
  for (const effect of receive(reader.session, input)) {
    if (reader.ended) return;
    carryOut(reader, effect);
  }
}

/** Frames that came together leave together. */
export function takeTogether(reader: Reader, frames: readonly JudgedFrame[]): void {
  // Who left while joining is heard of no more, and a socket that is gone throws when it is touched.
  if (reader.ended) return;
  reader.outlet.together(() => {
    for (const frame of frames) take(reader, { kind: 'frame', frame });
  });
}

function carryOut(reader: Reader, effect: Effect): void {
  if (effect.kind === 'send') deliver(reader, effect.frame);
  if (effect.kind === 'cursor') tell(reader, { type: 'cursor', seq: effect.seq }, effect.seq);
  if (effect.kind === 'fetch') void fetchHistory(reader, effect.after, effect.upTo);
  if (effect.kind === 'end') end(reader, effect.code, effect.detail);
}

/** A reader that was live and does not keep up is cut; one that is catching up is waited for (fetchHistory). */
function deliver(reader: Reader, frame: WireFrame): void {
  const { settings, metrics } = reader.parts;
  if (reader.session?.live && reader.outlet.buffered() > settings.bufferBytes) {
    end(reader, 'consumer_too_slow', 'Connect again with your cursor and read faster');
    return;
  }
  reader.outlet.send(frame.text, frame.seq);
  metrics.sent(frame.type);
  const level = reader.parts.mayLog() ? 'info' : 'debug';
  const { traceId, seq, type } = frame;
  reader.parts.log[level](
    { traceId, seq, type, userId: reader.identity?.userId, stream: reader.id },
    'frame sent',
  );
}

/** A frame about the stream itself. */
export function tell(reader: Reader, frame: ControlFrame, id: number | null): void {
  reader.outlet.send(JSON.stringify(frame), id);
}

/** One page, when there is room for it. */
async function fetchHistory(reader: Reader, after: number, upTo: number): Promise<void> {
  if (await room(reader)) {
    const frames = await readPage(reader, after, upTo);
    take(reader, { kind: 'page', after, frames });
  } else {
    end(reader, 'consumer_too_slow', 'Nothing was read for too long; connect again with your cursor');
  }
}

/** An outage is waited out for as long as the client stays; its connection is not what is broken. */
async function readPage(reader: Reader, after: number, upTo: number): Promise<JudgedFrame[]> {
  for (let pause = 100; !reader.ended; pause = Math.min(pause * 2, 5_000)) {
    try {
      return await reader.parts.history.page(reader.identity!.userId, after, upTo);
    } catch (error) {
      reader.parts.log.warn({ err: error, stream: reader.id }, 'history cannot be read, trying again');
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return [];
}

function room(reader: Reader): Promise<boolean> | boolean {
  if (hasRoom(reader)) return true;
  return new Promise((resolve) => {
    const found = (enough: boolean): void => {
      reader.room = null;
      resolve(enough);
    };
    reader.room = { found, bytes: reader.outlet.buffered(), since: Date.now() };
  });
}

function hasRoom(reader: Reader): boolean {
  return reader.outlet.buffered() <= reader.parts.settings.bufferBytes / 2;
}

/** Ends the wait of a reader that has taken nothing for too long. */
export function watchForStall(reader: Reader, now: number): void {
  if (!reader.room) return;
  const bytes = reader.outlet.buffered();
  if (bytes < reader.room.bytes) Object.assign(reader.room, { bytes, since: now });
  else if (now - reader.room.since > reader.parts.settings.stallMs) reader.room.found(false);
}

/** The client has taken something of what waited for it. */
export function drained(reader: Reader): void {
  if (reader.room && hasRoom(reader)) reader.room.found(true);
}
