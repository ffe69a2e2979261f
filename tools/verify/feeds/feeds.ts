import { type Difference, markOf } from '../difference.ts';

/** One post in a feed: published at, in milliseconds. */
export interface Entry {
  postId: string;
  authorId: string;
  at: number;
}

/** Whom a reader follows now, and since when. */
export interface Follow {
  authorId: string;
  since: number;
}

/** The live posts of an author, newest first, as many as any feed may show. */
export type PostsOf = (author: string) => readonly Entry[];

/** DESIGN §6: the newest 1,000; of a followed account its posts since the follow, and the 20 newest before it. */
const feedLength = 1_000;
const beforeFollow = 20;
export const mostOfAnAuthor = feedLength + beforeFollow;

export const newestFirst = (a: Entry, b: Entry): number => b.at - a.at || (a.postId < b.postId ? 1 : -1);

/** What a follow brings into the follower's feed. */
function sliceOf(posts: readonly Entry[], since: number): readonly Entry[] {
  const before = posts.findIndex((post) => post.at < since);
  if (before === -1) return posts.slice(0, feedLength);
  return [...posts.slice(0, Math.min(before, feedLength)), ...posts.slice(before, before + beforeFollow)];
}

/** A home feed as a function of facts. */
export function expectedFeed(reader: string, follows: readonly Follow[], posts: PostsOf): Entry[] {
  const slices = follows
    .filter(({ authorId }) => authorId !== reader)
    .flatMap(({ authorId, since }) => sliceOf(posts(authorId), since));
  return [...slices, ...posts(reader)].sort(newestFirst).slice(0, feedLength);
}

/** A home feed as a reader is served it: the timeline in Redis with the posts of followed authors that are pulled. */
export function servedFeed(
  timeline: readonly Entry[],
  follows: readonly Follow[],
  posts: PostsOf,
  pulled: ReadonlySet<string>,
): Entry[] {
  const slices = follows
    .filter(({ authorId }) => pulled.has(authorId))
    .flatMap(({ authorId, since }) => sliceOf(posts(authorId), since));
  const merged = new Map([...slices, ...timeline].map((entry) => [entry.postId, entry]));
  return [...merged.values()].sort(newestFirst).slice(0, feedLength);
}

/** The entries that one of both has and the other has not, or by another author, or at another time. */
export function feedDifferences(
  reader: string,
  expected: readonly Entry[],
  served: readonly Entry[],
): Difference[] {
  const wanted = new Map(expected.map((entry) => [entry.postId, entry]));
  const found = new Map(served.map((entry) => [entry.postId, entry]));
  const ids = [...new Set([...wanted.keys(), ...found.keys()])];
  return ids
    .filter((id) => !isSame(wanted.get(id), found.get(id)))
    .map((id) => entryDifference(reader, wanted.get(id) ?? null, found.get(id) ?? null));
}

function isSame(a: Entry | undefined, b: Entry | undefined): boolean {
  return a?.at === b?.at && a?.authorId === b?.authorId;
}

/** Whether any post that came or went would move others out of the feed or back into it. */
export function isCut(...feeds: (readonly Entry[])[]): boolean {
  return feeds.some((feed) => feed.length >= feedLength);
}

function entryDifference(reader: string, expected: Entry | null, actual: Entry | null): Difference {
  const { postId, authorId } = (expected ?? actual)!;
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
    columns: ['author_id', 'published_at'],
    marks: [
      markOf('timelines', 'timeline_post', postId),
      markOf('timelines', 'timeline_follow', `${reader} ${authorId}`),
    ],
  };
}

/** The bytes whose sum tells two sets of feeds apart. */
export function entryBytes(reader: string, { postId, authorId, at }: Entry): Buffer {
  return Buffer.from(`${reader} ${postId} ${authorId} ${at}`);
}
