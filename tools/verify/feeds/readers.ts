import { addRow, type Checksum, newChecksum } from '../bytes/checksum.ts';
import type { Verified } from '../snapshot.ts';
import type { World } from '../source.ts';
import {
  entryBytes,
  expectedFeed,
  type Follow,
  feedDifferences,
  isCut,
  type PostsOf,
  servedFeed,
} from './feeds.ts';
import type { DifferingFeed } from './moving.ts';
import { readTimelines } from './timelines.ts';

/** Readers, and the facts that their feeds are a function of. */
export interface Readers {
  ids: readonly string[];
  followsOf(reader: string): readonly Follow[];
  postsOf: PostsOf;
  /** Authors whose posts are pulled when a feed is read. */
  pulled: ReadonlySet<string>;
}

interface Sums {
  expected: Checksum;
  actual: Checksum;
}

export interface ReadersResult {
  /** Of the feeds that are what their facts say. */
  equal: Sums;
  /** Of those that are not. */
  unequal: Sums;
  differing: DifferingFeed[];
  /** Entries that differ in all of them; of each feed at most as many are kept as was asked for. */
  differences: number;
}

/** Compares what these readers' feeds are served from, now, with the function of facts. */
export async function compareReaders(
  { redis, prefix }: World,
  { state }: Verified,
  { ids, followsOf, postsOf, pulled }: Readers,
  keptAFeed: number,
): Promise<ReadersResult> {
  const result: ReadersResult = { equal: newSums(), unequal: newSums(), differing: [], differences: 0 };
  for await (const [reader, timeline] of readTimelines(redis, prefix, state.version, ids)) {
    const follows = followsOf(reader);
    const expected = expectedFeed(reader, follows, postsOf);
    const served = servedFeed(timeline, follows, postsOf, pulled);
    const differences = feedDifferences(reader, expected, served);
    const sums = differences.length === 0 ? result.equal : result.unequal;
    for (const entry of expected) addRow(sums.expected, entryBytes(reader, entry));
    for (const entry of served) addRow(sums.actual, entryBytes(reader, entry));
    if (differences.length === 0) continue;
    result.differences += differences.length;
    const kept = differences.slice(0, keptAFeed);
    result.differing.push({ reader, follows, cut: isCut(expected, served), differences: kept });
  }
  return result;
}

function newSums(): Sums {
  return { expected: newChecksum(), actual: newChecksum() };
}
