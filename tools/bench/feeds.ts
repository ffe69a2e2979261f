import type { Event } from '../../schemas/generated/events.ts';
import { createRandom } from '../load/random.ts';
import { epochMs, idAt } from './likes.ts';

/** People who follow and who publish, for the bench on timelines. */
export interface Feeds {
  /** By author: who follows them. */
  followers: Map<string, string[]>;
  follows: Event[];
  posts: (Event & { type: 'PostPublished' })[];
  /** What all timelines hold together once every post has reached everybody, its author too. */
  entries: number;
}

const authors = 200;
const followersEach = 250;
/** Each of them follows twenty authors. */
const readers = 2_500;

/** The same for the same count of posts; every author publishes about as many, after everybody has followed. */
export function createFeeds(posts: number): Feeds {
  const random = createRandom('feeds');
  const people = Array.from({ length: readers + authors }, (_, n) => idAt(random, epochMs - 1_000_000 + n));
  const writing = people.slice(readers);
  const followers = new Map(
    writing.map((author, n) => {
      const first = Math.floor((n * readers) / authors);
      return [author, Array.from({ length: followersEach }, (_, m) => people[(first + m * 10) % readers]!)];
    }),
  );
  const stamp = (at: number, actor: string) => {
    const id = idAt(random, at);
    const correlation = id.replaceAll('-', '');
    return { id, source: '/command-api', time: at, actor, correlation, causation: null };
  };
  let at = epochMs;
  const follows = [...followers].flatMap(([followeeId, own]) =>
    own.map((followerId): Event => {
      at += 1;
      return { type: 'UserFollowed', meta: stamp(at, followerId), followerId, followeeId, followedAt: at };
    }),
  );
  const published = Array.from({ length: posts }, (_, n): Feeds['posts'][number] => {
    at += 1;
    const authorId = writing[n % authors]!;
    return {
      type: 'PostPublished',
      meta: stamp(at, authorId),
      postId: idAt(random, at),
      authorId,
      caption: `The ${n}th light of the evening`,
      mediaIds: [],
      location: null,
      isReel: false,
      hideCounts: false,
      commentsOff: false,
    };
  });
  return { followers, follows, posts: published, entries: posts * (followersEach + 1) };
}
