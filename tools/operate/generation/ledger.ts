import { hash } from 'node:crypto';
import { failure } from '../../../deploy/native/failure.ts';
import { partitionOf } from '../../../platform/log/partition.ts';
import type { LogRecord } from '../../../platform/log/record.ts';

/**
 * What one side of a copy holds of one topic. A pair is a partition of the old generation and one of the new: the
 * records of a key are in one pair on both sides, and its pairs are in the same order on both. So equal chains mean that
 * every key has its records, all of them and in their order.
 */
export interface Side {
  /** The next offset to be read of each partition. */
  at: number[];
  /** By `old>new`. */
  pairs: Map<string, Pair>;
}

export interface Pair {
  records: number;
  /** SHA-256 of (the chain before, key, value, headers), base64; '' before the first record. */
  chain: string;
}

/** Partitions of the old generation and of the new. */
export interface Shape {
  old: number;
  new: number;
}

export function emptySide(partitions: number): Side {
  return { at: Array.from({ length: partitions }, () => 0), pairs: new Map() };
}

/** The pair of a record. Throws a failure when it does not lie where its key belongs. */
export function pairOf(shape: Shape, side: 'old' | 'new', record: LogRecord): string {
  const places = { old: partitionOf(record.key, shape.old), new: partitionOf(record.key, shape.new) };
  if (places[side] === record.partition) return `${places.old}>${places.new}`;
  throw failure(
    `${record.topic}/${record.partition} holds a record at ${record.offset} whose key belongs into partition ${places[side]}.`,
    'Something else than our services has written there; a person must decide what to do with it.',
  );
}

/** The pair with one more record. */
export function chained({ records, chain }: Pair, { key, value, headers }: LogRecord): Pair {
  const named = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]);
  const text = JSON.stringify([chain, key, value.toString('base64'), named.sort()]);
  return { records: records + 1, chain: hash('sha256', text, 'base64') };
}

export const nothing: Pair = { records: 0, chain: '' };

/** Takes over what was read of one partition, up to the record behind `last`. */
export function advance(side: Side, pairs: ReadonlyMap<string, Pair>, last: LogRecord): void {
  for (const [name, pair] of pairs) side.pairs.set(name, pair);
  side.at[last.partition] = Number(last.offset) + 1;
}

/** The pair in which both sides are not the same, and how; null when all are. */
export function differenceOf(old: Side, now: Side): string | null {
  for (const name of new Set([...old.pairs.keys(), ...now.pairs.keys()])) {
    const [a, b] = [old.pairs.get(name) ?? nothing, now.pairs.get(name) ?? nothing];
    if (a.records !== b.records)
      return `partitions ${name}: ${a.records} records, and ${b.records} in the new one`;
    if (a.chain !== b.chain) return `partitions ${name}: other records, or in another order`;
  }
  return null;
}

export function recordsOf(side: Side): number {
  return [...side.pairs.values()].reduce((sum, { records }) => sum + records, 0);
}
