import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { timelineKeys } from '../../schemas/content/timeline.keys.ts';
import type { Person } from '../harness/client.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';
import { eventually, type People, peopleOf } from './people.ts';

const patience = 120_000;

let world: World;
let people: People;
let redis: Redis;
let photo: (person: Person) => Promise<string>;

beforeAll(async () => {
  world = await startWorld({
    services: ['command-api', 'query-api', 'projectors', 'media-pipeline'],
    env: { EMULSION_FANOUT_THRESHOLD: '2' },
  });
  people = peopleOf(world);
  redis = new Redis(world.env.REDIS_URL!);
  const photos = new Map<string, string>();
  photo = async (person) => {
    if (!photos.has(person.id)) photos.set(person.id, await people.photo(person));
    return photos.get(person.id)!;
  };
}, 180_000);
afterAll(async () => {
  redis?.disconnect();
  await world?.stop();
});

/** Newest first, as every list has them. */
async function publish(author: Person, count: number): Promise<string[]> {
  const media = await photo(author);
  const made: string[] = [];
  for (let i = 0; i < count; i += 1) made.unshift(await world.api.publish(author, [media]));
  return made;
}

/** The whole feed after everything has been applied; the same in one page and in pages of three. */
async function feed(reader: Person): Promise<string[]> {
  await world.drained(patience);
  const whole = await people.feed(reader);
  expect((await people.pages(reader, '/api/feed', 3)).flat()).toEqual(whole);
  return whole;
}

const keys = () => timelineKeys(world.prefix, 1);
const keep = (person: Person) => redis.zrange(keys().timeline(person.id), '0', '-1', 'WITHSCORES');

/** Waits until the projectors have made the timelines again and readers take them from Redis. */
async function remade(): Promise<void> {
  await eventually(async () => {
    const { rows } = await world.owner.query('SELECT epoch FROM timelines_v1.timeline_state');
    return (await redis.get(keys().epoch)) === rows[0].epoch;
  });
}

describe('a feed is what its facts say', { timeout: patience + 30_000 }, () => {
  it('a follow brings the 20 newest posts and all that come after, an unfollow takes them away', async () => {
    const [author, reader] = [await world.api.register(), await world.api.register()];
    const before = await publish(author, 24);
    const own = await publish(reader, 1);
    await people.follow(reader, author);
    expect(await feed(reader)).toEqual([...own, ...before.slice(0, 20)]);
    const after = await publish(author, 2);
    expect(await feed(reader)).toEqual([...after, ...own, ...before.slice(0, 20)]);
    // Following again moves nothing.
    await people.follow(reader, author);
    expect(await feed(reader)).toEqual([...after, ...own, ...before.slice(0, 20)]);
    await people.remove(author, before[0]!);
    expect(await feed(reader)).toEqual([...after, ...own, ...before.slice(1, 21)]);
    await people.unfollow(reader, author);
    expect(await feed(reader)).toEqual(own);
    await people.follow(reader, author);
    expect(await feed(reader)).toEqual([...after, ...own, ...before.slice(1, 19)]);
  });

  it('above the threshold an author is pulled: nobody notices', async () => {
    const star = await world.api.register();
    const fans = [await world.api.register(), await world.api.register(), await world.api.register()];
    const [first, second, third] = fans as [Person, Person, Person];
    const early = await publish(star, 2);
    await people.follow(first, star);
    const pushed = await publish(star, 2);
    await people.follow(second, star);
    await people.follow(third, star);
    const pulled = await publish(star, 2);
    const own = await publish(third, 1);
    const all = [...pulled, ...pushed, ...early];
    expect(await feed(first)).toEqual(all);
    expect(await feed(second)).toEqual(all);
    expect(await feed(third)).toEqual([...own, ...all]);
    expect(await isPulled(star)).toBe(true);
    await people.remove(star, pushed[0]!);
    await people.unfollow(first, star);
    await people.unfollow(second, star);
    const last = await publish(star, 1);
    expect(await feed(first)).toEqual([]);
    expect(await feed(third)).toEqual([...last, ...own, ...pulled, ...pushed.slice(1), ...early]);
    expect(await isPulled(star)).toBe(true);
  });
});

async function isPulled(author: Person): Promise<boolean> {
  const { rows } = await world.owner.query('SELECT FROM timelines_v1.timeline_pulled WHERE author_id = $1', [
    author.id,
  ]);
  return rows.length > 0;
}

describe('when Redis loses the timelines', { timeout: patience + 30_000 }, () => {
  let reader: Person;
  let author: Person;

  beforeAll(async () => {
    [reader, author] = [await world.api.register(), await world.api.register()];
    await publish(author, 4);
    await people.follow(reader, author);
    await publish(author, 3);
    await publish(reader, 2);
    await world.drained(patience);
    await remade();
  }, patience);

  it('feeds go on from Postgres at once, and are the same when they are made again', async () => {
    const before = await feed(reader);
    expect(before).toHaveLength(9);
    const kept = await keep(reader);
    expect(kept).toHaveLength(18);
    const { projectors } = world.services;
    projectors.signal('SIGSTOP');
    try {
      await loseTimelines();
      expect(await people.feed(reader)).toEqual(before);
      expect((await people.pages(reader, '/api/feed', 2)).flat()).toEqual(before);
    } finally {
      projectors.signal('SIGCONT');
    }
    const fresh = await publish(author, 1);
    expect(await feed(reader)).toEqual([...fresh, ...before]);
    await remade();
    expect(await feed(reader)).toEqual([...fresh, ...before]);
    expect((await keep(reader)).slice(0, 18)).toEqual(kept);
  });

  it('old timelines that come back with an old epoch are not believed', async () => {
    const right = await feed(reader);
    const { projectors } = world.services;
    projectors.signal('SIGSTOP');
    try {
      await redis.set(keys().epoch, '00000000-0000-4000-8000-000000000000');
      await redis.zremrangebyrank(keys().timeline(reader.id), 3, -1);
      expect(await people.feed(reader)).toEqual(right);
    } finally {
      projectors.signal('SIGCONT');
    }
    await remade();
    expect(await keep(reader)).toHaveLength(2 * right.length);
    expect(await feed(reader)).toEqual(right);
  });

  it('what is written while they are being made again is in them', async () => {
    for (let round = 0; round < 3; round += 1) {
      const before = await feed(reader);
      await loseTimelines();
      const fresh = await publish(author, 3);
      await people.remove(author, fresh[1]!);
      await remade();
      expect(await feed(reader)).toEqual([fresh[0], fresh[2], ...before]);
    }
  });
});

/** As FLUSHALL does, for this world alone. */
async function loseTimelines(): Promise<void> {
  const found = await redis.keys(`${world.prefix}tl:*`);
  expect(found.length).toBeGreaterThan(0);
  await redis.del(...found);
}

it('verify finds no difference', () => expectVerified(world), patience + 30_000);
