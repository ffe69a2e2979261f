import { setTimeout as sleep } from 'node:timers/promises';
import type { Event } from '../../../schemas/generated/events.ts';
import { createRandom, type Random } from '../../load/random.ts';
import { benchCodec, idAt, likeEvent, openSending, recordOf } from '../likes.ts';
import type { BenchWorld } from '../world.ts';
import type { FeedStage } from './stage.ts';
import type { Arrival } from './truth.ts';

export interface Arrivals {
  /** Ends them; gives how many a second came. Throws when the broker did not take one. */
  stop(): Promise<{ likesPerSecond: number; followsPerSecond: number }>;
}

const everyMs = 50;
const likesEach = 10;
const followsEach = 1;

/** Likes and follows that come into the log while feeds are read: 200 and 20 a second. */
export async function startArrivals(world: BenchWorld, stage: FeedStage): Promise<Arrivals> {
  const codec = await benchCodec(world);
  const { send, close } = await openSending(world);
  const random = createRandom('arrivals');
  const began = performance.now();
  let rounds = 0;
  let stopped = false;

  const round = async (): Promise<void> => {
    const arrival: Arrival = { sentAt: Date.now(), ackedAt: Number.POSITIVE_INFINITY };
    const likes = Array.from({ length: likesEach }, () => newLike(random, stage, arrival));
    const follows = Array.from({ length: followsEach }, () => newFollow(random, stage, arrival));
    await send([...likes, ...follows].map((event) => recordOf(world, codec, event, null)));
    arrival.ackedAt = Date.now();
  };
  const ended = (async () => {
    while (!stopped) {
      // What one was late by is made up for by the next.
      await sleep(Math.max(0, began + rounds * everyMs - performance.now()));
      await round();
      rounds += 1;
    }
  })();
  ended.catch(() => {});
  return {
    async stop() {
      stopped = true;
      await ended;
      await close();
      const perSecond = rounds / ((performance.now() - began) / 1_000);
      return { likesPerSecond: perSecond * likesEach, followsPerSecond: perSecond * followsEach };
    },
  };
}

/** Of somebody who does not like the post yet. `arrival` is shared, so that one ack is that of all. */
function newLike(random: Random, { readers, posts, facts, noteLike }: FeedStage, arrival: Arrival): Event {
  for (;;) {
    const { postId, authorId } = posts[random.below(posts.length)]!;
    const likerId = readers[random.below(readers.length)]!.userId;
    if (facts.likesOf(postId).some((like) => like.likerId === likerId)) continue;
    noteLike(postId, { likerId, arrival });
    const at = arrival.sentAt;
    return likeEvent({ postId, likerId, authorId, live: true, at, eventId: idAt(random, at) });
  }
}

/** Of an author whom the reader does not follow yet. */
function newFollow(
  random: Random,
  { readers, authors, facts, noteFollow }: FeedStage,
  arrival: Arrival,
): Event {
  for (;;) {
    const followerId = readers[random.below(readers.length)]!.userId;
    const followeeId = authors[random.below(authors.length)]!.userId;
    if (facts.followsOf(followerId).some((follow) => follow.authorId === followeeId)) continue;
    const at = arrival.sentAt;
    noteFollow(followerId, { authorId: followeeId, since: at, arrival });
    const id = idAt(random, at);
    const correlation = id.replaceAll('-', '');
    const meta = { id, source: '/command-api', time: at, actor: followerId, correlation, causation: null };
    return { type: 'UserFollowed', meta, followerId, followeeId, followedAt: at };
  }
}
