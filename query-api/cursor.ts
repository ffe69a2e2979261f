import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { problem } from './problem.ts';

/** Where a list goes on: after the entry of this time and id, newest first. Holds nothing that a rebuild changes. */
export interface Cursor {
  /** Milliseconds since the epoch. */
  time: number;
  id: string;
}

/** Cursors as clients get them. */
export interface Cursors {
  encode(cursor: Cursor): string;
  /** Throws cursor_invalid for anything that encode did not make. */
  decode(text: string | undefined): Cursor | null;
}

const checkBytes = 16;
const timeBytes = 8;
const idBytes = 16;

/**
 * Sealed under the key: a page that was thinned out goes on after somebody whom the reader may not be told of. The check
 * of the content begins the text and is what the rest is encrypted with, so that one place is one text.
 */
export function openCursors(key: Buffer): Cursors {
  const [checkKey, sealKey] = ['cursor check', 'cursor seal'].map((use) => hmac(key, use));
  const checkOf = (plain: Buffer): Buffer => hmac(checkKey!, plain).subarray(0, checkBytes);
  const crypt = (check: Buffer, text: Buffer): Buffer =>
    createCipheriv('aes-256-ctr', sealKey!, check).update(text);
  return {
    encode({ time, id }) {
      const plain = Buffer.alloc(timeBytes + idBytes);
      plain.writeBigInt64BE(BigInt(time));
      plain.write(id.replaceAll('-', ''), timeBytes, 'hex');
      const check = checkOf(plain);
      return Buffer.concat([check, crypt(check, plain)]).toString('base64url');
    },
    decode(text) {
      if (text === undefined) return null;
      const sealed = Buffer.from(text, 'base64url');
      const check = sealed.subarray(0, checkBytes);
      // In this mode of the cipher opening is sealing once more.
      const plain = check.length === checkBytes ? crypt(check, sealed.subarray(checkBytes)) : sealed;
      const isOurs = plain.length === timeBytes + idBytes && timingSafeEqual(checkOf(plain), check);
      if (!isOurs || sealed.toString('base64url') !== text)
        throw problem('cursor_invalid', 'Send the nextCursor of the page before unchanged.');
      return { time: Number(plain.readBigInt64BE()), id: uuidOf(plain.subarray(timeBytes)) };
    },
  };
}

function hmac(key: Buffer, text: string | Buffer): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
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
