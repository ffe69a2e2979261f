import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { streamKey } from '../../schemas/notify/frame.ts';
import { eventually, type People, peopleOf } from '../features/people.ts';
import { expectStatus, type Person } from '../harness/client.ts';
import { type OwnRedis, startRedis } from '../harness/redis.ts';
import { startWorld, type World } from '../harness/world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let redis: OwnRedis;
let world: World;
let people: People;
let follower: Person;
/** Somebody who was told of a follower, and that in Redis. */
let leaver: Person;
let key: string;

beforeAll(async () => {
  redis = await startRedis();
  world = await startWorld({
    services: ['command-api', 'projectors', 'reactors'],
    env: { REDIS_URL: redis.url },
  });
  people = peopleOf(world);
  follower = await world.api.register();
});
afterAll(async () => {
  await world?.stop();
  await redis?.close();
});
beforeEach(async () => {
  leaver = await world.api.register();
  key = streamKey(world.prefix, leaver.id);
  await world.drained();
  await people.follow(follower, leaver);
  await eventually(isThere);
});

const isThere = async (): Promise<boolean> => (await redis.client.exists(key)) > 0;
const goes = () =>
  vi.waitFor(async () => expect(await isThere()).toBe(false), { timeout: 30_000, interval: 50 });

/** The round that hears of it has ended when this resolves. */
async function erase(): Promise<void> {
  const { token, password } = leaver;
  expectStatus(await world.api.call('DELETE', '/api/users/me', { token, body: { password } }), 204);
  await world.drained();
}

it('what somebody erased was told goes, though Redis is away at that moment', async () => {
  await redis.kill();
  await erase();
  await redis.start();
  await goes();
});

it('it goes, though Redis takes no write at that moment', async () => {
  await redis.client.replicaof('127.0.0.1', '1');
  await erase();
  expect(await isThere()).toBe(true);
  await redis.client.replicaof('NO', 'ONE');
  await goes();
});

it('what comes late, of a round that another process was at, goes too', async () => {
  await erase();
  await goes();
  await redis.client.xadd(key, '2-0', 'e', '{}');
  await goes();
});

it('what Redis has again of those who were erased long ago goes, when it comes back', async () => {
  await erase();
  await goes();
  await world.owner.query(`UPDATE vault.erasure SET erased_at = erased_at - interval '1 day'`);
  await redis.client.xadd(key, '2-0', 'e', '{}');
  await redis.kill();
  await redis.start();
  await goes();
});
