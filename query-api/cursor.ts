import { problem } from './problem.ts';

/** Where a list goes on: after the entry of this time and id, newest first. Holds nothing that a rebuild changes. */
export interface Cursor {
  /** Milliseconds since the epoch. */
  time: number;
  id: string;
}

const pattern = /^(\d{1,15})~([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

export function encodeCursor({ time, id }: Cursor): string {
  return Buffer.from(`${time}~${id}`).toString('base64url');
}

/** The end of the year 9999: later ones are written with a sign, which Postgres does not read. */
const lastTime = Date.UTC(10_000, 0) - 1;

/** Throws cursor_invalid for anything that encodeCursor did not make. */
export function decodeCursor(text: string | undefined): Cursor | null {
  if (text === undefined) return null;
  const found = Buffer.from(text, 'base64url').toString().match(pattern);
  const cursor = found && { time: Number(found[1]), id: found[2]! };
  if (!cursor || cursor.time > lastTime || encodeCursor(cursor) !== text)
    throw problem('cursor_invalid', 'Send the nextCursor of the page before unchanged.');
  return cursor;
}

/** Later first, then the greater id: the order of every list. */
export function newestFirst(a: Cursor, b: Cursor): number {
  if (a.time !== b.time) return b.time - a.time;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}

/**
 * The SQL for "after the cursor", in the order of newestFirst; `first` is the number of its first parameter. A list
 * without a cursor begins at the end of time.
 */
export function afterCursor(time: string, id: string, first: number): string {
  return `(${time}, ${id}) < ($${first}::timestamptz, $${first + 1}::uuid)`;
}

export function cursorParams(cursor: Cursor | null): [string, string] {
  if (!cursor) return ['infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff'];
  return [new Date(cursor.time).toISOString(), cursor.id];
}
