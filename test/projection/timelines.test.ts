import fc from 'fast-check';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readLetters } from '../../platform/postgres/parked.ts';
import { claimPositions } from '../../platform/postgres/positions.ts';
import { createRedis, type Redis, redisReady } from '../../platform/redis/redis.ts';
import { partsOf, readFanOut } from '../../projectors/content/timeline.facts.ts';
import { timelines, touchedBy } from '../../projectors/content/timeline.model.ts';
import {
  openTimelineStore,
  StaleTimelineWriter,
  type TimelineStore,
} from '../../projectors/content/timeline.redis.ts';
import { createTimelineHandler, epochOf, remakeWhenLost } from '../../projectors/content/timeline.runner.ts';
import { timelineKeys } from '../../schemas/content/timeline.keys.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { batchesOf, claimAll, openTestEngine, type TestEngine } from '../harness/engine.ts';
import { event, noon } from '../harness/events.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

// Many histories beside all other tests: what one takes there is no statement about timelines.
vi.setConfig({ testTimeout: 300_000 });

const rules = { length: 6, backfill: 2 };
let kit: ProjectionKit;
let redis: Redis;
let engine: TestEngine;

beforeAll(async () => {
  kit = await openProjectionKit();
  redis = createRedis(process.env.REDIS_URL!, { name: 'test' });
  await redisReady(redis);
  engine = await openTestEngine(kit);
});
afterAll(async () => {
  await kit.close();
  redis.disconnect();
});

const people = Array.from({ length: 4 }, (_, i) => v7({ msecs: noon - 1_000 + i }));
const person = fc.constantFrom(...people);
/** A post is published at one time, which its id tells; the log may bring that again and again. */
const posts = people.flatMap((author, i) =>
  Array.from({ length: 5 }, (_, n) => {
    const publishedAt = noon + ((7 * i + 11 * n) % 31);
    return { id: v7({ msecs: publishedAt }), author, publishedAt };
  }),
);
const at = fc.integer({ min: 0, max: 30 }).map((n) => noon + n);

const published = (postId: string, authorId: string, time: number): Event =>
  event(
    'PostPublished',
    {
      postId,
      authorId,
      caption: 'c',
      location: null,
      isReel: false,
      hideCounts: false,
      commentsOff: false,
      mediaIds: [],
    },
    time,
  );

const facts: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({
        followerId: person,
        followeeId: person,
        at,
        back: fc.constantFrom(0, 0, 5),
        on: fc.boolean(),
      })
      .filter((edge) => edge.followerId !== edge.followeeId)
      .map(({ at: t, on, back, ...edge }) =>
        on ? event('UserFollowed', { ...edge, followedAt: t - back }, t) : event('UserUnfollowed', edge, t),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ followerId: person, followeeId: person, at, granted: fc.boolean() })
      .filter((edge) => edge.followerId !== edge.followeeId)
      .map(({ at: t, granted, ...edge }) =>
        event(granted ? 'FollowRequestApproved' : 'FollowerRemoved', edge, t),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ blockerId: person, blockedId: person, at })
      .filter((pair) => pair.blockerId !== pair.blockedId)
      .map(({ at: t, ...pair }) => event('UserBlocked', { ...pair, blockedAt: t }, t)),
  },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(...posts)
      .map(({ id, author, publishedAt }) => published(id, author, publishedAt)),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ post: fc.constantFrom(...posts), at })
      .map(({ post, at: t }) => event('PostDeleted', { postId: post.id, authorId: post.author }, t)),
  },
);

/** A block is the newest word on the follows between two until one of them is newer. */
function aboutWhat(e: Event): string[] {
  if ('postId' in e) return [e.postId];
  if ('blockerId' in e) return [`${e.blockerId}>${e.blockedId}`, `${e.blockedId}>${e.blockerId}`];
  return 'followeeId' in e ? [`${e.followerId}>${e.followeeId}`] : [];
}

/** DESIGN §6 in a few lines of its own: the newest fact of each edge and post, then the definition. */
function expected(events: readonly Event[], reader: string, pulled: ReadonlySet<string>): string[] {
  const newest = new Map<string, Event>();
  for (const e of events) {
    for (const id of aboutWhat(e)) {
      const known = newest.get(id);
      if (
        !known ||
        known.meta.time < e.meta.time ||
        (known.meta.time === e.meta.time && known.meta.id < e.meta.id)
      )
        newest.set(id, e);
    }
  }
  const live = [...newest.values()]
    .filter((e) => e.type === 'PostPublished')
    .map((e) => ({ id: e.postId, author: e.authorId, at: e.meta.time }))
    .sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  const entries = live.filter((p) => p.author === reader);
  for (const e of newest.values()) {
    if (e.type !== 'UserFollowed' && e.type !== 'FollowRequestApproved') continue;
    if (e.followerId !== reader || pulled.has(e.followeeId)) continue;
    const since = e.type === 'UserFollowed' ? e.followedAt : e.meta.time;
    const theirs = live.filter((p) => p.author === e.followeeId);
    entries.push(
      ...theirs.filter((p) => p.at >= since),
      ...theirs.filter((p) => p.at < since).slice(0, rules.backfill),
    );
  }
  return entries
    .sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
    .slice(0, rules.length)
    .map((p) => p.id);
}

async function freshTimelines(threshold: number) {
  const installed = await kit.install(timelines);
  const { version } = installed;
  await claimAll(kit, installed);
  const options = { store: openTimelineStore(redis, engine.prefix, version, rules), rules, threshold };
  await remakeWhenLost(engine, installed, options);
  const handle = createTimelineHandler(engine, installed, options);
  const keys = timelineKeys(engine.prefix, version);
  const served = async (reader: string): Promise<string[]> =>
    (await redis.zrevrange(keys.timeline(reader), 0, -1)).map((member) => member.slice(0, 36));
  const pulled = async (): Promise<Set<string>> =>
    new Set(
      (await kit.pool.query(`SELECT author_id FROM ${installed.schema}.timeline_pulled`)).rows.map(
        (row) => row.author_id,
      ),
    );
  return { installed, options, handle, keys, served, pulled };
}

const cutInto = (events: readonly Event[], size: number): Event[][] =>
  Array.from({ length: Math.ceil(events.length / size) }, (_, i) => events.slice(i * size, (i + 1) * size));

const history = fc.record({
  // Unless told, fast-check keeps to about ten, in which hardly anything meets.
  events: fc.array(facts, { minLength: 1, maxLength: 60, size: 'max' }),
  size: fc.integer({ min: 1, max: 20 }),
});
const runs = { numRuns: Number(process.env.EMULSION_PROPERTY_RUNS ?? 60) };

test('whatever order facts arrive in, Redis holds the function of them', async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ events, size }) => {
      const world = await freshTimelines(100);
      for (const batches of batchesOf(engine, cutInto(events, size))) await world.handle(batches);
      for (const reader of people)
        expect(await world.served(reader)).toEqual(expected(events, reader, new Set()));
    }),
    runs,
  );
});

test('timelines that Redis lost in the middle are made again and end the same', async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.nat(), async ({ events, size }, lostAt) => {
      const world = await freshTimelines(100);
      const rounds = batchesOf(engine, cutInto(events, size));
      for (const [index, batches] of rounds.entries()) {
        if (index === lostAt % rounds.length)
          await redis.del(world.keys.epoch, ...people.map(world.keys.timeline));
        await world.handle(batches);
      }
      await remakeWhenLost(engine, world.installed, world.options);
      for (const reader of people)
        expect(await world.served(reader)).toEqual(expected(events, reader, new Set()));
    }),
    runs,
  );
});

test('rounds that die between Redis and the position, and are repeated, end the same', async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.infiniteStream(fc.boolean()), async ({ events, size }, dies) => {
      const world = await freshTimelines(100);
      const { store } = world.options;
      // Written, and nobody knows: what comes after it in the round never happens.
      const edit: TimelineStore['edit'] = async (...args) => {
        await store.edit(...args);
        throw new StaleTimelineWriter('dead');
      };
      const dying = { ...world.options, store: { ...store, edit } };
      const handleAndDie = createTimelineHandler(engine, world.installed, dying);
      for (const batches of batchesOf(engine, cutInto(events, size))) {
        if (dies.next().value) await handleAndDie(batches).catch(mustBe('Fenced'));
        // A round that had nothing to write has not died.
        await world.handle(batches).catch(mustBe('Fenced'));
      }
      for (const reader of people)
        expect(await world.served(reader)).toEqual(expected(events, reader, new Set()));
    }),
    runs,
  );
});

function mustBe(name: string): (error: Error) => void {
  return (error) => expect(error.name).toBe(name);
}

test('a deleted post of somebody with a great many followers leaves all their timelines, a part at a time', async () => {
  const world = await freshTimelines(10);
  const { schema } = world.installed;
  const [author, post] = [people[0]!, posts.find((one) => one.author === people[0])!];
  await kit.pool.query(
    `WITH reader AS (SELECT gen_random_uuid() AS id FROM generate_series(1, 120000)),
       edge AS (INSERT INTO ${schema}.timeline_follow SELECT id, $1, $2, true, $2, gen_random_uuid() FROM reader),
       counted AS (INSERT INTO ${schema}.timeline_follower_count VALUES ($1, 120000))
     INSERT INTO ${schema}.timeline_pulled VALUES ($1)`,
    [author, new Date(noon)],
  );
  const { rows } = await kit.pool.query(`SELECT follower_id AS id FROM ${schema}.timeline_follow ORDER BY 1`);
  // The first and last of each part, who have the post from before its author was pulled.
  const some = [0, 49_999, 50_000, 99_999, 100_000, 119_999].map((n) => rows[n].id as string);
  for (const id of some) await redis.zadd(world.keys.timeline(id), 1, `${post.id}:${author}`);
  const deleted = event('PostDeleted', { postId: post.id, authorId: author }, noon + 40);
  for (const batches of batchesOf(engine, [[deleted]])) await world.handle(batches);
  expect(await Promise.all(some.map(world.served))).toEqual(some.map(() => []));
  const parts = await partsOf(kit.pool, schema, touchedBy([deleted]));
  const fans = await Promise.all(parts.map((part) => readFanOut(kit.pool, schema, rules, part)));
  const readers = fans.map((fan) => fan.drops.reduce((sum, drop) => sum + drop.readers.length, 0));
  expect(Math.max(...readers)).toBeLessThanOrEqual(50_001);
  expect(fans.flatMap((fan) => fan.pairs)).toEqual([]);
  await world.options.store.drop();
});

test('an author above the threshold is not fanned out any more, and everybody else is right', async () => {
  const world = await freshTimelines(2);
  const [author, ...followers] = people as [string, ...string[]];
  const events = followers.map((followerId, i) =>
    event('UserFollowed', { followerId, followeeId: author, followedAt: noon + i }, noon + i),
  );
  const post = posts.find((p) => p.author === author)!;
  events.push(published(post.id, author, noon + 10));
  for (const batches of batchesOf(engine, [events])) await world.handle(batches);
  expect(await world.pulled()).toEqual(new Set([author]));
  for (const reader of followers) expect(await world.served(reader)).toEqual([]);
  expect(await world.served(author)).toEqual([post.id]);
});

test('posts of a round that go to more readers than are held in memory at once come to all of them', async () => {
  const world = await freshTimelines(10_000);
  const { schema } = world.installed;
  const authors = Array.from({ length: rules.length }, () => v7());
  // As many followers as the log would have brought, of whom each follows every author.
  const { rows } = await kit.pool.query(
    `WITH reader AS (SELECT gen_random_uuid() AS id FROM generate_series(1, 9000)),
       edge AS (INSERT INTO ${schema}.timeline_follow
         SELECT reader.id, author, $2, true, $2, gen_random_uuid() FROM reader, unnest($1::uuid[]) AS author),
       counted AS (INSERT INTO ${schema}.timeline_follower_count SELECT author, 9000 FROM unnest($1::uuid[]) AS author)
     SELECT id FROM reader`,
    [authors, new Date(noon)],
  );
  const events = authors.map((authorId, n) => published(v7(), authorId, noon + n));
  for (const batches of batchesOf(engine, [events])) await world.handle(batches);
  const newestFirst = events.map((e) => ('postId' in e ? e.postId : '')).reverse();
  const lengths = redis.pipeline();
  for (const { id } of rows) lengths.zcard(world.keys.timeline(id));
  const answers = (await lengths.exec())!.map(([, length]) => length);
  expect(answers).toEqual(rows.map(() => authors.length));
  for (const reader of [rows[0].id, rows.at(-1).id]) expect(await world.served(reader)).toEqual(newestFirst);
  await world.options.store.drop();
});

test('locks that are lost while timelines are written have all of them made again: another may have overtaken', async () => {
  const world = await freshTimelines(100);
  const { options, installed } = world;
  const edge = { followerId: people[0]!, followeeId: people[1]!, followedAt: noon };
  const post = posts.find((p) => p.author === people[1])!;
  const events = [event('UserFollowed', edge, noon), published(post.id, post.author, post.publishedAt)];
  const store = {
    ...options.store,
    async edit(...given: Parameters<TimelineStore['edit']>) {
      await options.store.edit(...given);
      await kit.pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database
         WHERE locktype = 'advisory' AND datname = current_database()`,
      );
    },
  };
  const before = await epochOf(kit.pool, installed);
  const handle = createTimelineHandler(engine, installed, { ...options, store });
  for (const batches of batchesOf(engine, [events])) await handle(batches);
  expect(await epochOf(kit.pool, installed)).not.toBe(before);
  await redis.del(world.keys.timeline(edge.followerId));
  expect(await remakeWhenLost(engine, installed, options)).toBe(true);
  expect(await world.served(edge.followerId)).toEqual([post.id]);
});

test('a parked record that is tried again is parked until Redis has it, too: whoever dies in between tries it again', async () => {
  const world = await freshTimelines(100);
  const { consumer, schema } = world.installed;
  const post = posts[0]!;
  await kit.pool.query(
    `ALTER TABLE ${schema}.timeline_post ADD CONSTRAINT refused CHECK (author_id IS NULL)`,
  );
  const [batches] = batchesOf(engine, [[published(post.id, post.author, post.publishedAt)]]);
  await world.handle(batches!);
  await kit.pool.query(`ALTER TABLE ${schema}.timeline_post DROP CONSTRAINT refused`);
  await kit.pool.query('UPDATE engine.parked SET retry = true WHERE consumer = $1', [consumer]);
  const { topic, partition, nextOffset } = batches![0]!;
  const retry = async (handle: typeof world.handle): Promise<void> => {
    const records = await readLetters(kit.pool, consumer, { topic, partition }, 10);
    expect(records).toHaveLength(1);
    const place = { topic, partition, generation: 1n, firstOffset: nextOffset, nextOffset };
    await handle([{ ...place, records, unparking: true }]);
  };
  const store = {
    ...world.options.store,
    edit: () => Promise.reject(new StaleTimelineWriter('another has begun')),
  };
  const dying = createTimelineHandler(engine, world.installed, { ...world.options, store });
  await expect(retry(dying)).rejects.toMatchObject({ name: 'Fenced' });
  expect(await world.served(post.author)).toEqual([]);
  await retry(world.handle);
  expect(await world.served(post.author)).toEqual([post.id]);
  expect(await readLetters(kit.pool, consumer, { topic, partition }, 10)).toEqual([]);
});

test('a stale process writes neither rows nor timelines', async () => {
  const world = await freshTimelines(100);
  const edge = { followerId: people[0]!, followeeId: people[1]!, followedAt: noon };
  const [batches] = batchesOf(engine, [[event('UserFollowed', edge, noon)]]);
  await claimPositions(kit.pool, world.installed.consumer, [
    { topic: 'follow-events', partition: batches![0]!.partition, start: 0n },
  ]);
  await expect(world.handle(batches!)).rejects.toMatchObject({ name: 'Fenced' });
  const { rows } = await kit.pool.query(`SELECT FROM ${world.installed.schema}.timeline_follow`);
  expect(rows).toEqual([]);
});
