import { type Entry, expectedFeed, type Follow } from '../../verify/feeds/feeds.ts';

/** Between these two moments something came into the log. */
export interface Arrival {
  /** Milliseconds since the epoch; `ackedAt` is Infinity until the broker has it. */
  sentAt: number;
  ackedAt: number;
}

export interface ArrivedFollow extends Follow {
  arrival: Arrival;
}

export interface ArrivedLike {
  likerId: string;
  arrival: Arrival;
}

/** What the bench has written to the log, and nothing that was read from the product. */
export interface Facts {
  /** Newest first. */
  postsOf(authorId: string): readonly Entry[];
  captionOf(postId: string): string;
  /** In the order in which they were written. */
  followsOf(readerId: string): readonly ArrivedFollow[];
  likesOf(postId: string): readonly ArrivedLike[];
}

/** A feed as somebody was answered. */
export interface FeedAnswer {
  readerId: string;
  /** Its X-As-Of: all that the log had before is in it. Milliseconds since the epoch. */
  asOf: number;
  receivedAt: number;
  items: readonly {
    id: string;
    caption: string;
    author: { id: string };
    likeCount: number | null;
    likedByViewer: boolean;
  }[];
}

/**
 * What is wrong with an answer, in words; null when it is true. What the log had before X-As-Of must be in it, what
 * was not written when it came can't be, and in between both are right.
 */
export function faultOf(answer: FeedAnswer, facts: Facts, limit: number): string | null {
  return postsFault(answer, facts, limit) ?? itemsFault(answer, facts);
}

/** The reader's follows come in order (one key, one partition): the feed is that of one of the moments allowed. */
function postsFault(answer: FeedAnswer, facts: Facts, limit: number): string | null {
  const { readerId, items } = answer;
  const follows = facts.followsOf(readerId);
  const known = follows.filter((follow) => isSure(follow, answer)).length;
  const possible = follows.filter((follow) => isPossible(follow, answer)).length;
  const served = items.map((item) => item.id).join();
  for (let count = known; count <= possible; count += 1) {
    const feed = expectedFeed(readerId, follows.slice(0, count), facts.postsOf).slice(0, limit);
    if (feed.map((entry) => entry.postId).join() === served) return null;
  }
  return `the feed of ${readerId} is none of those that ${known} to ${possible} follows make`;
}

function itemsFault(answer: FeedAnswer, facts: Facts): string | null {
  for (const item of answer.items) {
    const fault = itemFault(item, answer, facts);
    if (fault) return `${item.id} in the feed of ${answer.readerId}: ${fault}`;
  }
  return null;
}

function itemFault(item: FeedAnswer['items'][number], answer: FeedAnswer, facts: Facts): string | null {
  const { id, caption, author, likeCount, likedByViewer } = item;
  if (caption !== facts.captionOf(id)) return `its caption is "${caption}"`;
  if (!facts.postsOf(author.id).some((entry) => entry.postId === id)) return `${author.id} is not its author`;
  const likes = facts.likesOf(id);
  const least = likes.filter((like) => isSure(like, answer)).length;
  const most = likes.filter((like) => isPossible(like, answer)).length;
  if (likeCount === null || likeCount < least || likeCount > most)
    return `${likeCount} likes instead of ${least} to ${most}`;
  const own = likes.filter((like) => like.likerId === answer.readerId);
  if (
    likedByViewer ? !own.some((like) => isPossible(like, answer)) : own.some((like) => isSure(like, answer))
  )
    return likedByViewer ? 'the reader has not liked it' : 'the reader has liked it';
  return null;
}

function isSure({ arrival }: { arrival: Arrival }, { asOf }: FeedAnswer): boolean {
  return arrival.ackedAt < asOf;
}

function isPossible({ arrival }: { arrival: Arrival }, { receivedAt }: FeedAnswer): boolean {
  return arrival.sentAt <= receivedAt;
}
