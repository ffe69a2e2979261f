import type { Redis } from '../../platform/redis/redis.ts';
import { timelineKeys } from '../../schemas/content/timeline.keys.ts';
import type { Difference } from './difference.ts';
import { type Bucket, isIn } from './fold.ts';
import type { Register, Registers } from './spec.ts';

/** One post in a feed: published at, in milliseconds. */
export interface Entry {
  postId: string;
  authorId: string;
  at: number;
}

/** DESIGN §6: the newest 1,000; of a followed account its posts since the follow, and the 20 newest before it. */
const feedLength = 1_000;
const beforeFollow = 20;

/** The live posts of each author that a feed may ever show, newest first. */
export type PostsOfAuthors = Map<string, Entry[]>;

const newestFirst = (a: Entry, b: Entry): number => b.at - a.at || (a.postId < b.postId ? 1 : -1);

export function collectPosts(posts: PostsOfAuthors, registers: Registers): void {
  const live = [...registers.get('timeline_post')!.values()].filter((register) => register.live);
  const entries = live.map(({ row, time }) => ({ postId: row.post_id!, authorId: row.author_id!, at: time }));
  for (const [author, own] of Map.groupBy(entries, (entry) => entry.authorId)) {
    posts.set(author, own.sort(newestFirst).slice(0, feedLength + beforeFollow));
  }
}

/** What a follow brings into the follower's feed. */
function sliceOf(posts: readonly Entry[], since: number): Entry[] {
  const before = posts.findIndex((post) => post.at < since);
  if (before === -1) return posts.slice(0, feedLength);
  return [...posts.slice(0, Math.min(before, feedLength)), ...posts.slice(before, before + beforeFollow)];
}

/** The followed accounts of each reader of this pass, and since when. */
export function followsOf(registers: Registers, bucket: Bucket): Map<string, Register[]> {
  const edges = [...registers.get('timeline_follow')!.values()].filter((edge) =>
    isIn(bucket, edge.row.follower_id!),
  );
  return Map.groupBy(edges, (edge) => edge.row.follower_id!);
}

/** A home feed as a function of facts. */
export function expectedFeed(reader: string, follows: readonly Register[], posts: PostsOfAuthors): Entry[] {
  const live = follows.filter((follow) => follow.live && follow.row.followee_id !== reader);
  const slices = live.flatMap((follow) =>
    sliceOf(posts.get(follow.row.followee_id!) ?? [], Number(follow.row.followed_at)),
  );
  return [...slices, ...(posts.get(reader) ?? [])].sort(newestFirst).slice(0, feedLength);
}

/** A home feed as a reader is served it: the timeline in Redis with the posts of followed authors that are pulled. */
export function servedFeed(
  timeline: readonly Entry[],
  follows: readonly Register[],
  posts: PostsOfAuthors,
  pulled: ReadonlySet<string>,
): Entry[] {
  const live = follows.filter((follow) => follow.live && pulled.has(follow.row.followee_id!));
  const slices = live.flatMap((follow) =>
    sliceOf(posts.get(follow.row.followee_id!) ?? [], Number(follow.row.followed_at)),
  );
  const merged = new Map([...slices, ...timeline].map((entry) => [entry.postId, entry]));
  return [...merged.values()].sort(newestFirst).slice(0, feedLength);
}

/** The entries that one of both has and the other has not, or at another time. */
export function feedDifferences(
  reader: string,
  expected: readonly Entry[],
  served: readonly Entry[],
  follows: readonly Register[],
): Difference[] {
  const wanted = new Map(expected.map((entry) => [entry.postId, entry]));
  const found = new Map(served.map((entry) => [entry.postId, entry]));
  const ids = [...new Set([...wanted.keys(), ...found.keys()])];
  const differing = ids.filter((id) => wanted.get(id)?.at !== found.get(id)?.at);
  if (differing.length === 0) return [];
  // At the cut, any post that came or went moves what is below it.
  const cut = Math.max(expected.length, served.length) >= feedLength;
  const others = cut ? follows.map((follow) => `timelines ${follow.row.followee_id}`) : [];
  return differing.map((id) =>
    entryDifference(reader, wanted.get(id) ?? null, found.get(id) ?? null, others),
  );
}

function entryDifference(
  reader: string,
  expected: Entry | null,
  actual: Entry | null,
  others: string[],
): Difference {
  const { postId, authorId } = (expected ?? actual)!;
  const marks = [`timelines.timeline_post ${postId}`, `timelines.timeline_follow ${reader} ${authorId}`];
  const row = (entry: Entry | null) =>
    entry && {
      reader_id: reader,
      post_id: postId,
      author_id: entry.authorId,
      published_at: String(entry.at),
    };
  return {
    model: 'timelines',
    table: 'home_feed',
    key: `${reader} ${postId}`,
    expected: row(expected),
    actual: row(actual),
    columns: ['published_at'],
    marks,
    inputs: [...marks, `timelines ${authorId}`, `timelines ${reader}`, ...others],
  };
}

const readersACall = 100;

/** The timelines of these readers as Redis holds them. */
export async function* readTimelines(
  redis: Redis,
  prefix: string,
  version: number,
  readers: readonly string[],
): AsyncGenerator<[string, Entry[]]> {
  const keys = timelineKeys(prefix, version);
  for (let at = 0; at < readers.length; at += readersACall) {
    const some = readers.slice(at, at + readersACall);
    const pipeline = redis.pipeline();
    for (const reader of some) pipeline.zrevrange(keys.timeline(reader), 0, -1, 'WITHSCORES');
    const answers = (await pipeline.exec()) ?? [];
    for (const [index, [error, flat]] of answers.entries()) {
      if (error) throw error;
      yield [some[index]!, entriesOf(flat as string[])];
    }
  }
}

function entriesOf(flat: readonly string[]): Entry[] {
  const entries: Entry[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const [postId, authorId] = flat[i]!.split(':');
    entries.push({ postId: postId!, authorId: authorId ?? '', at: Number(flat[i + 1]) });
  }
  return entries;
}

/** Everybody who has a timeline in Redis, in this pass. */
export async function readersInRedis(
  redis: Redis,
  prefix: string,
  version: number,
  bucket: Bucket,
): Promise<string[]> {
  const base = timelineKeys(prefix, version).timeline('');
  const found = new Set<string>();
  for (let cursor = '0'; ; ) {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `${base}*`, 'COUNT', 1_000);
    for (const key of keys) {
      const id = key.slice(base.length);
      if (/^[0-9a-f-]{36}$/.test(id) && isIn(bucket, id)) found.add(id);
    }
    if (next === '0') return [...found];
    cursor = next;
  }
}
