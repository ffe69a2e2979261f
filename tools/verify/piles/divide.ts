import { bucketHash } from '../bytes/layout.ts';
import { factHead, factsPile, rowsPile, type Subject } from './gather.ts';
import { rowHead } from './rows.ts';
import type { Spill } from './spill.ts';

/**
 * The piles of one bucket, divided further when its facts are more than may be folded at once. Rows that belong
 * together stay together: what cannot be divided is the posts of one author and the follows of one reader.
 */
export function* piecesOf(
  subject: Subject,
  spill: Spill,
  bucket: number,
  mostBytes: number,
): Generator<{ facts: string; rows: string }> {
  const model = subject.state.model;
  const piles = { facts: factsPile(model, bucket), rows: rowsPile(model, bucket) };
  const pieces = Math.ceil(spill.bytesOf(piles.facts) / mostBytes);
  if (pieces <= 1) return yield piles;
  divide(subject, spill, piles.facts, factHead, pieces);
  divide(subject, spill, piles.rows, rowHead, pieces);
  for (let piece = 0; piece < pieces; piece += 1) {
    const own = { facts: pieceOf(piles.facts, piece), rows: pieceOf(piles.rows, piece) };
    yield own;
    spill.drop(own.facts);
    spill.drop(own.rows);
  }
}

const pieceOf = (pile: string, piece: number): string => `${pile}.${piece}`;

function divide(
  { layouts, buckets }: Subject,
  spill: Spill,
  pile: string,
  head: number,
  pieces: number,
): void {
  spill.each(pile, (record) => {
    // What the hash says beyond the bucket, which is the same for all of these.
    const hash = Math.floor(bucketHash(layouts[record[0]!]!, record, head) / buckets);
    spill.add(pieceOf(pile, hash % pieces), record, record.length);
  });
}
