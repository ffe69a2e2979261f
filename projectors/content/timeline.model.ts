import {
  type Change,
  defineModel,
  erase,
  erasedPeople,
  put,
  remove,
  type SeenEvent,
} from '../engine/model.ts';
import { bothWays, followsIn } from '../graph/edges.ts';

/**
 * Home feeds: the tables below are the facts, Redis holds what they amount to (DESIGN §6): for each account followed
 * now, its posts since the follow and the 20 newest before it, and the reader's own posts; the newest 1,000 of these.
 */
export const timelines = defineModel({
  name: 'timelines',
  version: 2,
  topics: ['follow-events', 'post-events', 'user-events'],
  sqlFile: 'content/timeline.sql',
  registers: [erasedPeople, 'timeline_follow', 'timeline_post'],
  counters: [
    {
      from: 'timeline_follow',
      into: 'timeline_follower_count',
      key: { author_id: 'followee_id' },
      column: 'followers',
    },
  ],
  erasure: {
    people: erasedPeople,
    rows: { timeline_follow: ['follower_id', 'followee_id'], timeline_post: ['author_id'] },
  },
  on: {
    ...followsIn('timeline_follow'),
    PostPublished: (event) => [put('timeline_post', { post_id: event.postId, author_id: event.authorId })],
    PostDeleted: (event) => [remove('timeline_post', { post_id: event.postId, author_id: event.authorId })],
    UserErased: erase,
  },
});

/** Ids after the one and up to the other, inclusive; null: from the first, to the last. */
export interface Stretch {
  after: string | null;
  upTo: string | null;
}

/** What a round of events may change in Redis; the target state is read from the tables afterwards. */
export interface Touched {
  /** (reader, author) whose follow changed. */
  pairs: { reader: string; author: string }[];
  posts: string[];
  /** Whose posts or followers changed: their rounds wait for each other. */
  authors: string[];
  /** Of the posts' authors only these followers; all unless said. */
  followers?: Stretch;
  /** Something may leave a timeline, and a full one must then be made again from the facts. */
  removes: boolean;
}

export function touchedBy(events: readonly SeenEvent[]): Touched {
  const pairs = new Map<string, { reader: string; author: string }>();
  const posts = new Set<string>();
  const authors = new Set<string>();
  let removes = false;
  const pair = (reader: string, author: string, ends: boolean): void => {
    pairs.set(`${reader} ${author}`, { reader, author });
    authors.add(author);
    removes ||= ends;
  };
  for (const event of events) {
    switch (event.type) {
      case 'UserFollowed':
      case 'FollowRequestApproved':
        pair(event.followerId, event.followeeId, false);
        break;
      case 'UserUnfollowed':
      case 'FollowRequestCancelled':
      case 'FollowerRemoved':
        pair(event.followerId, event.followeeId, true);
        break;
      case 'UserBlocked':
        for (const edge of bothWays(event.blockerId, event.blockedId))
          pair(edge.followerId, edge.followeeId, true);
        break;
      case 'PostPublished':
      case 'PostDeleted':
        posts.add(event.postId);
        authors.add(event.authorId);
        removes ||= event.type === 'PostDeleted';
    }
  }
  return { pairs: [...pairs.values()], posts: [...posts], authors: [...authors], removes };
}

/**
 * Adds what an erasure changes: these edges lead to or from those who are erased, whose own posts leave their own
 * timelines too.
 */
export function touchErased(
  touched: Touched,
  userIds: readonly string[],
  edges: readonly { reader: string; author: string }[],
): Touched {
  const own = userIds.map((userId) => ({ reader: userId, author: userId }));
  return {
    ...touched,
    pairs: [...touched.pairs, ...own, ...edges],
    authors: [...touched.authors, ...userIds],
    removes: true,
  };
}

/** Whose followers, and who else, may see another feed when these rows change. */
export function concernedBy(changes: readonly Change[]): { authors: string[]; readers: string[] } {
  const of = (table: string, column: string): string[] => [
    ...new Set(
      changes.filter((change) => change.table === table).map((change) => String(change.row[column])),
    ),
  ];
  const authors = of('timeline_post', 'author_id');
  return { authors, readers: [...authors, ...of('timeline_follow', 'follower_id')] };
}

/** What to do with one reader's timeline: authors whose entries go first, single entries that go, entries to add. */
export interface TimelineEdit {
  reader: string;
  dropAuthors: string[];
  drop: string[];
  add: Entry[];
}

export interface Entry {
  postId: string;
  authorId: string;
  /** Milliseconds since the epoch: the score. */
  publishedAt: number;
}

/** Sorts by post id among equal scores, so that the cut is by (publishedAt, id). */
export function memberOf(entry: { postId: string; authorId: string }): string {
  return `${entry.postId}:${entry.authorId}`;
}

/** A post and the readers that it concerns. */
export interface Spread {
  entry: Entry;
  readers: string[];
}

/** Where posts of the round go, and what its follows bring; one edit a reader. */
export interface FanOut {
  /** Live posts. */
  adds: Spread[];
  /** Deleted posts. */
  drops: Spread[];
  /** Pairs whose part of the timeline is made again, and what it then holds. */
  pairs: { reader: string; author: string }[];
  slices: Spread[];
}

/** One edit a reader. Edits share their entries: a post goes to many readers. */
export function editsOf(fan: FanOut): TimelineEdit[] {
  const edits = new Map<string, TimelineEdit>();
  const editOf = (reader: string): TimelineEdit => {
    let edit = edits.get(reader);
    if (!edit) {
      edit = { reader, dropAuthors: [], drop: [], add: [] };
      edits.set(reader, edit);
    }
    return edit;
  };
  for (const { reader, author } of fan.pairs) editOf(reader).dropAuthors.push(author);
  for (const { entry, readers } of fan.drops) {
    const member = memberOf(entry);
    for (const reader of readers) editOf(reader).drop.push(member);
  }
  for (const { entry, readers } of fan.adds) for (const reader of readers) editOf(reader).add.push(entry);
  for (const { entry, readers } of fan.slices) for (const reader of readers) editOf(reader).add.push(entry);
  return [...edits.values()];
}
