import { packUuid, uuidAt } from '../bytes/cells.ts';
import { rowAt } from '../bytes/layout.ts';
import { factsPile, type Subject } from '../piles/gather.ts';
import { type Heap, openHeap } from '../piles/heap.ts';
import type { Spill } from '../piles/spill.ts';
import { foldFacts, winnerBytes, winnerRow } from '../tables/fold.ts';
import { type Entry, mostOfAnAuthor, newestFirst } from './feeds.ts';

/** The live posts of each author that a feed may ever show. */
export interface AuthorPosts {
  /** Newest first. */
  of(author: string): Entry[];
  authorsIn(bucket: number): Iterable<string>;
  close(): void;
}

/** An entry: published at (8 bytes, milliseconds), post id (16). A line of the index: author (16), where (6), how many (2). */
const entryBytes = 24;
const lineBytes = 24;
/** Lines read at once; the first author of each block is kept in memory, a quarter of a byte an author. */
const blockLines = 64;

interface Index {
  at: number;
  lines: number;
  /** The first author of each block. */
  firsts: Buffer;
}

/** Folds the posts of every bucket once and lays them where single authors can be looked up. */
export function collectPosts(
  subject: Subject,
  spill: Spill,
  bucketOf: (id: string) => number,
  path: string,
  keptBytes: number,
): AuthorPosts {
  const heap = openHeap(path, keptBytes);
  const indexes = Array.from({ length: subject.buckets }, (_, bucket) =>
    addAuthors(heap, postsOfBucket(subject, spill, bucket)),
  );
  return {
    of(author) {
      const id = packed(author);
      const line = findLine(heap, indexes[bucketOf(author)]!, id);
      if (!line) return [];
      const entries = heap.read(line.readUIntBE(16, 6), line.readUInt16BE(22) * entryBytes);
      return Array.from({ length: entries.length / entryBytes }, (_, n) => ({
        postId: uuidAt(entries, n * entryBytes + 8),
        authorId: author,
        at: entries.readDoubleBE(n * entryBytes),
      }));
    },
    *authorsIn(bucket) {
      const { at, lines } = indexes[bucket]!;
      for (let line = 0; line < lines; line += 1) yield uuidAt(heap.read(at + line * lineBytes, 16), 0);
    },
    close: heap.close,
  };
}

function postsOfBucket(subject: Subject, spill: Spill, bucket: number): Map<string, Entry[]> {
  const { layouts, state } = subject;
  const layout = layouts.find(({ table }) => table === 'timeline_post')!;
  const { winners } = foldFacts(subject, (take) =>
    spill.each(factsPile(state.model, bucket), (fact) => {
      if (fact[0] === layout.index) take(fact);
    }),
  );
  const posts = new Map<string, Entry[]>();
  for (const winner of winners[layout.index]!.values()) {
    const row = rowAt(layout, winnerBytes(winner), winnerRow);
    if (row.live !== 'true') continue;
    const entry = { postId: row.post_id!, authorId: row.author_id!, at: Number(row.event_time) };
    const own = posts.get(entry.authorId);
    if (own) own.push(entry);
    else posts.set(entry.authorId, [entry]);
  }
  return posts;
}

function addAuthors(heap: Heap, posts: Map<string, Entry[]>): Index {
  const authors = [...posts.keys()].sort();
  const lines = Buffer.alloc(authors.length * lineBytes);
  authors.forEach((author, n) => {
    const own = posts.get(author)!.sort(newestFirst).slice(0, mostOfAnAuthor);
    const entries = Buffer.alloc(own.length * entryBytes);
    own.forEach((entry, e) => {
      entries.writeDoubleBE(entry.at, e * entryBytes);
      packed(entry.postId).copy(entries, e * entryBytes + 8);
    });
    packed(author).copy(lines, n * lineBytes);
    lines.writeUIntBE(heap.add(entries), n * lineBytes + 16, 6);
    lines.writeUInt16BE(own.length, n * lineBytes + 22);
  });
  const firsts = Buffer.concat(
    authors.filter((_, n) => n % blockLines === 0).map((author) => packed(author)),
  );
  return { at: heap.add(lines), lines: authors.length, firsts };
}

function findLine(heap: Heap, { at, lines, firsts }: Index, id: Buffer): Buffer | null {
  let low = 0;
  let high = firsts.length / 16;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (firsts.compare(id, 0, 16, middle * 16, middle * 16 + 16) <= 0) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return null;
  const first = (low - 1) * blockLines;
  const count = Math.min(blockLines, lines - first);
  const block = heap.read(at + first * lineBytes, count * lineBytes);
  for (let line = 0; line < count; line += 1) {
    const own = block.subarray(line * lineBytes, (line + 1) * lineBytes);
    if (own.compare(id, 0, 16, 0, 16) === 0) return own;
  }
  return null;
}

function packed(id: string): Buffer {
  const bytes = Buffer.from(id, 'latin1');
  packUuid(bytes, 0, 0);
  return bytes.subarray(0, 16);
}
