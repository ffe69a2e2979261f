import type { Redis } from '../../platform/redis/redis.ts';
import { timelineKeys } from '../../schemas/content/timeline.keys.ts';
import { newResult, type TableResult } from './compare.ts';
import type { Difference } from './difference.ts';
import { eventFor, readEvents, type Source } from './events.ts';
import { timelines } from './facts/timelines.ts';
import {
  type Entry,
  expectedFeed,
  feedDifferences,
  followsOf,
  type PostsOfAuthors,
  readersInRedis,
  readTimelines,
  servedFeed,
} from './feeds.ts';
import { type Bucket, createFold, isIn } from './fold.ts';
import { isApplied, stretchesOf, type Verified } from './passes.ts';
import type { Snapshot } from './snapshot.ts';
import type { FactSpec } from './spec.ts';
import { addRow } from './tables.ts';

/** The follows alone, each in its reader's pass. */
const followsOnly: FactSpec = {
  ...timelines,
  topics: ['follow-events'],
  writes: (event) => timelines.writes(event).filter((write) => write.table === 'timeline_follow'),
  neededBy: ({ row }) => [row.follower_id!],
};

export interface ServedResult {
  table: TableResult;
  differences: Difference[];
  readers: number;
  /** 'postgres': Redis has lost the timelines, and feeds are answered from the tables that were compared. */
  from: 'redis' | 'postgres';
}

/** Compares what every reader's home feed is served from with the function of facts (DESIGN §6). */
export async function compareFeeds(
  source: Source,
  snapshot: Snapshot,
  redis: Redis,
  model: Verified,
  posts: PostsOfAuthors,
  buckets: number,
): Promise<ServedResult> {
  const result: ServedResult = {
    table: newResult('timelines', 'home_feed'),
    differences: [],
    readers: 0,
    from: 'redis',
  };
  const { schema, version } = model.state;
  const state = await snapshot.client.query(`SELECT epoch FROM ${schema}.timeline_state`);
  const epoch = await redis.get(timelineKeys(source.prefix, version).epoch);
  if (state.rows[0]?.epoch !== epoch) return { ...result, from: 'postgres' };
  const { rows } = await snapshot.client.query(`SELECT author_id FROM ${schema}.timeline_pulled`);
  const pulled = new Set(rows.map((row) => row.author_id as string));
  for (let index = 0; index < buckets; index += 1) {
    await compareBucket(source, redis, model, posts, pulled, { index, of: buckets }, result);
  }
  return result;
}

async function compareBucket(
  source: Source,
  redis: Redis,
  model: Verified,
  posts: PostsOfAuthors,
  pulled: ReadonlySet<string>,
  bucket: Bucket,
  result: ServedResult,
): Promise<void> {
  const fold = createFold(followsOnly, bucket);
  await readEvents(source, stretchesOf([model], followsOnly.topics), null, (located) => {
    const event = eventFor(model.spec.model, located);
    if (event && isApplied(model, located)) fold.take(event);
  });
  const follows = followsOf(fold.registers(), bucket);
  const { version } = model.state;
  const authors = [...posts.keys()].filter((author) => isIn(bucket, author));
  const inRedis = await readersInRedis(redis, source.prefix, version, bucket);
  const readers = [...new Set([...follows.keys(), ...authors, ...inRedis])];
  for await (const [reader, timeline] of readTimelines(redis, source.prefix, version, readers)) {
    const own = follows.get(reader) ?? [];
    const expected = expectedFeed(reader, own, posts);
    const served = servedFeed(timeline, own, posts, pulled);
    for (const entry of expected) addRow(result.table.expected, canonicalEntry(reader, entry));
    for (const entry of served) addRow(result.table.actual, canonicalEntry(reader, entry));
    const differences = feedDifferences(reader, expected, served, own);
    result.table.differences += differences.length;
    result.differences.push(...differences);
    result.readers += 1;
  }
}

function canonicalEntry(reader: string, entry: Entry): string {
  return `${reader} ${entry.postId} ${entry.authorId} ${entry.at}`;
}
