import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { expectStatus, type Person } from '../harness/client.ts';
import { type OwnRedis, startRedis } from '../harness/redis.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';
import { compareWithOracle } from '../oracle/compare.ts';
import { createHistory } from '../oracle/history.ts';
import { play } from '../oracle/play.ts';
import { feedsComeFromRedis } from '../oracle/remake.ts';
import { connect } from '../stream/stage.ts';

const patienceMs = 120_000;
/** Steps of the history after which Redis is lost. */
const stepsBefore = 30;

let redis: OwnRedis;
let world: World;
let author: Person;
let reader: Person;
let photo: string;
beforeAll(async () => {
  redis = await startRedis();
  // One who is followed by more than that is pulled at read.
  world = await startWorld({ env: { REDIS_URL: redis.url, EMULSION_FANOUT_THRESHOLD: '2' } });
  const { api } = world;
  [author, reader] = [await api.register(), await api.register()];
  photo = await api.upload(author);
  await world.drained(patienceMs);
  expectStatus(await api.as(reader, 'POST', `/api/users/${author.username}/follow`), 200);
}, 180_000);
afterAll(async () => {
  await world?.stop();
  await redis?.close();
});

const ways: { what: string; lose: () => Promise<void> }[] = [
  { what: 'is emptied', lose: async () => void (await redis.client.flushall()) },
  {
    what: 'is killed, stays away for a while and comes back empty',
    async lose() {
      await redis.kill();
      for (let posts = 0; posts < 3; posts += 1) await publishAndSee();
      redis.empty();
      await redis.start();
    },
  },
  {
    what: 'loses power and comes back without the last that it had taken',
    async lose() {
      for (let posts = 0; posts < 3; posts += 1) await publishAndSee();
      await redis.kill();
      redis.forget(3_000);
      await redis.start();
    },
  },
];

const published: string[] = [];

/** The author's posts come at once to whoever was told of them. */
async function publishAndSee(): Promise<void> {
  published.unshift(await world.api.publish(author, [photo]));
  await seeAll();
}

async function seeAll(): Promise<void> {
  reader.position = author.position;
  const feed = await world.api.as(reader, 'GET', '/api/feed?limit=100');
  expect([feed.status, feed.body.items?.map((item: { id: string }) => item.id)]).toEqual([200, published]);
}

/** Reads and writes without a pause until told to stop; nothing of it may fail. */
function keepOn(): { stop(): Promise<void> } {
  let going = true;
  const reading = async (): Promise<void> => {
    while (going) {
      const answer = await world.api.call('GET', '/api/feed', { token: reader.token });
      expectStatus(answer, 200);
    }
  };
  const all = reading();
  all.catch(() => {});
  return {
    async stop() {
      going = false;
      await all;
    },
  };
}

describe.each(ways)('when Redis $what', { timeout: 400_000 }, ({ what, lose }) => {
  it('no read fails, feeds and streams go on whole, and what is served afterwards is equal', async () => {
    const socket = connect(world.services.stream, { token: reader.token });
    await socket.hello();
    const before = published.length;
    const readers = keepOn();
    const history = createHistory(`redis ${what}`, { people: 4, steps: 120 });
    let losing: Promise<void> = Promise.resolve();
    await play(world, history, {
      patienceMs,
      onStep(done) {
        if (done !== stepsBefore) return;
        losing = publishAndSee().then(lose).then(publishAndSee);
        losing.catch(() => {});
      },
    });
    await losing;
    await readers.stop();
    await world.drained(patienceMs);
    await vi.waitFor(() => feedsComeFromRedis(world, redis.client), { timeout: patienceMs, interval: 200 });
    await compareWithOracle(world, history);
    await expectEqualInRedis();
    const told = published.slice(0, published.length - before).toReversed();
    await socket.until((message) => message.data?.postId === told.at(-1), patienceMs);
    const frames = socket.got.filter((message) => message.type === 'post.published');
    expect(frames.map((message) => message.data.postId)).toEqual(told);
    socket.close();
  });
});

async function expectEqualInRedis(): Promise<void> {
  const { feeds } = await expectVerified(world);
  expect(feeds?.from).toBe('redis');
}

it('what Redis had taken last and lost with its power is not missed, though nobody has written since', async () => {
  for (let posts = 0; posts < 3; posts += 1) await publishAndSee();
  await world.drained(patienceMs);
  await redis.kill();
  redis.forget(2_000);
  await redis.start();
  // From Redis as soon as query-api has found it again, or from Postgres: the same.
  for (let reads = 0; reads < 20; reads += 1) await seeAll();
  await vi.waitFor(() => feedsComeFromRedis(world, redis.client), { timeout: patienceMs, interval: 200 });
  await seeAll();
  await expectEqualInRedis();
}, 200_000);
