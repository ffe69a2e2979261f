import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Appender, openAppender } from '../../platform/log/appender.ts';
import { type Codec, openCodec } from '../../platform/log/codec.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { event } from '../harness/events.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';

let world: World;
let appender: Appender;
let codec: Codec<Event>;
beforeAll(async () => {
  world = await startWorld({ services: ['projectors'] });
  const { prefix, kafka } = world;
  codec = await openCodec<Event>({
    registryUrl: world.env.SCHEMA_REGISTRY_URL!,
    catalog: eventCatalog,
    prefix,
  });
  appender = await openAppender({ kafka, prefix, partitions: 4, log: createLogger('test', 'silent') });
}, 120_000);
afterAll(async () => {
  await appender?.close();
  await world?.stop();
});

const author = v7();
const posts = Array.from({ length: 20 }, () => v7());
const likers = Array.from({ length: 500 }, () => v7());

/** Every liker likes every post, a part of them at a time, so that processes come and go in the middle. */
async function likeAll(from: number, to: number): Promise<void> {
  for (const postId of posts) {
    const likes = likers
      .slice(from, to)
      .map((likerId) => event('PostLiked', { postId, likerId, authorId: author }, Date.now()));
    await Promise.all(likes.map((like) => appender.append(codec.encode(like, null))));
  }
}

test('processes join, leave and die while likes come in: every like is counted once', async () => {
  await likeAll(0, 100);
  const second = await world.another('projectors');
  await Promise.all([second.start(), likeAll(100, 200)]);
  world.services.projectors.signal('SIGKILL');
  await likeAll(200, 300);
  await Promise.all([world.services.projectors.start(), likeAll(300, 400)]);
  await Promise.all([second.stop(), likeAll(400, 500)]);
  await world.drained(60_000);
  const { rows } = await world.owner.query(
    `SELECT c.likes, (SELECT count(*) FROM likes_v1.post_like l WHERE l.post_id = c.post_id)::int AS rows
     FROM likes_v1.post_like_count c`,
  );
  expect(rows.map((row) => [Number(row.likes), row.rows])).toEqual(posts.map(() => [500, 500]));
  expect((await world.owner.query('SELECT FROM engine.parked')).rows).toEqual([]);
  await expectVerified(world);
}, 180_000);
