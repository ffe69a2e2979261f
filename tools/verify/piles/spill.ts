import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statfsSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { failure } from '../../../deploy/native/failure.ts';

/**
 * Records kept by the name of a pile: in memory while they are few, in files of one folder beyond. So a log larger
 * than memory is gone through once, and small ones leave the disk alone.
 */
export interface Spill {
  /** Adds the first `length` of these bytes to a pile. */
  add(pile: string, bytes: Buffer, length: number): void;
  /** Gives every record of a pile in the order they came; the bytes are only good until the next one. */
  each(pile: string, take: (record: Buffer) => void): void;
  bytesOf(pile: string): number;
  drop(pile: string): void;
  /** Writes all that is in memory to the files; gives their lengths, for `cutTo`. */
  flush(): Record<string, number>;
  /** Takes files up where they stood at that flush; what was added later is cut off. */
  cutTo(lengths: Record<string, number>): void;
  /** Whether memory was ever too little. */
  isOnDisk(): boolean;
  /** Bytes added in all. */
  total(): number;
}

interface Pile {
  /** Full ones, and the one that is being filled. */
  chunks: Buffer[];
  filled: number;
  inMemory: number;
  onDisk: number;
}

const headBytes = 4;
const firstChunk = 1_024;
const largestChunk = 262_144;
const readBytes = 262_144;
/** Room that is left to the servers that share the disk. */
const spareBytes = 1_073_741_824;

/** `keptBytes` is what may be in memory before it goes to the files, all piles together. */
export function openSpill(folder: string, keptBytes: number): Spill {
  const piles = new Map<string, Pile>();
  let kept = 0;
  let total = 0;
  let spilled = false;
  const pathOf = (name: string): string => join(folder, name);
  const pileOf = (name: string): Pile => {
    let pile = piles.get(name);
    if (!pile) {
      pile = { chunks: [], filled: 0, inMemory: 0, onDisk: 0 };
      piles.set(name, pile);
    }
    return pile;
  };
  const flush = (): void => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    refuseFullDisk(folder, kept);
    for (const [name, pile] of piles) {
      if (pile.inMemory === 0) continue;
      appendFileSync(pathOf(name), Buffer.concat(closed(pile)), { mode: 0o600 });
      pile.onDisk += pile.inMemory;
      Object.assign(pile, { chunks: [], filled: 0, inMemory: 0 });
    }
    kept = 0;
    spilled = true;
  };
  return {
    add(name, bytes, length) {
      const pile = pileOf(name);
      put(pile, bytes, length);
      kept += length + headBytes;
      total += length + headBytes;
      if (kept > keptBytes) flush();
    },
    each(name, take) {
      const pile = piles.get(name);
      if (!pile) return;
      // Taken now: whoever adds to other piles meanwhile may send this one's chunks to its file.
      const chunks = closed(pile);
      if (pile.onDisk > 0) eachInFile(pathOf(name), pile.onDisk, take);
      for (const chunk of chunks) eachIn(chunk, take);
    },
    bytesOf(name) {
      const pile = piles.get(name);
      return pile ? pile.inMemory + pile.onDisk : 0;
    },
    drop(name) {
      const pile = piles.get(name);
      if (!pile) return;
      kept -= pile.inMemory;
      piles.delete(name);
      if (pile.onDisk > 0) rmSync(pathOf(name), { force: true });
    },
    flush() {
      flush();
      return Object.fromEntries([...piles].map(([name, pile]) => [name, pile.onDisk]));
    },
    cutTo(lengths) {
      for (const name of readdirSync(folder)) if (!(lengths[name]! > 0)) rmSync(pathOf(name));
      for (const [name, onDisk] of Object.entries(lengths)) {
        if (onDisk > 0) truncateSync(pathOf(name), onDisk);
        Object.assign(pileOf(name), { onDisk });
        total += onDisk;
      }
      spilled = true;
    },
    isOnDisk: () => spilled,
    total: () => total,
  };
}

function refuseFullDisk(folder: string, more: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize - more > spareBytes) return;
  throw failure(
    `The disk of ${folder} would have less than ${spareBytes / 2 ** 30} GiB left.`,
    'Make room, or name a folder on another disk by --dir; --resume then goes on from here.',
  );
}

function put(pile: Pile, bytes: Buffer, length: number): void {
  const needed = length + headBytes;
  let chunk = pile.chunks.at(-1);
  if (!chunk || pile.filled + needed > chunk.length) {
    if (chunk) pile.chunks[pile.chunks.length - 1] = chunk.subarray(0, pile.filled);
    const size = chunk ? Math.min(chunk.length * 4, largestChunk) : firstChunk;
    chunk = Buffer.allocUnsafeSlow(Math.max(size, needed));
    pile.chunks.push(chunk);
    pile.filled = 0;
  }
  chunk.writeUInt32LE(length, pile.filled);
  bytes.copy(chunk, pile.filled + headBytes, 0, length);
  pile.filled += needed;
  pile.inMemory += needed;
}

/** What the pile has in memory, without the room that is left. */
function closed(pile: Pile): Buffer[] {
  const last = pile.chunks.at(-1);
  return last ? [...pile.chunks.slice(0, -1), last.subarray(0, pile.filled)] : [];
}

/** Gives the whole records in these bytes, and where the last one ends. */
function eachIn(bytes: Buffer, take: (record: Buffer) => void): number {
  let at = 0;
  while (at + headBytes <= bytes.length) {
    const end = at + headBytes + bytes.readUInt32LE(at);
    if (end > bytes.length) break;
    take(bytes.subarray(at + headBytes, end));
    at = end;
  }
  return at;
}

function eachInFile(path: string, bytes: number, take: (record: Buffer) => void): void {
  const file = openSync(path, 'r');
  try {
    let buffer = Buffer.allocUnsafe(readBytes);
    let rest = 0;
    for (let at = 0; at < bytes; ) {
      if (rest === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
      const wanted = Math.min(buffer.length - rest, bytes - at);
      const read = readSync(file, buffer, rest, wanted, at);
      if (read === 0) throw new Error(`${path} ends at ${at} of ${bytes} bytes.`);
      at += read;
      const whole = buffer.subarray(0, rest + read);
      const end = eachIn(whole, take);
      buffer.copyWithin(0, end, whole.length);
      rest = whole.length - end;
    }
  } finally {
    closeSync(file);
  }
}
