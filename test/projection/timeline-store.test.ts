import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRedis, type Redis, redisReady } from '../../platform/redis/redis.ts';
import { timelines } from '../../projectors/content/timeline.model.ts';
import {
  openTimelineStore,
  StaleTimelineWriter,
  type TimelineStore,
} from '../../projectors/content/timeline.redis.ts';
import { createTimelineHandler, remakeWhenLost } from '../../projectors/content/timeline.runner.ts';
import { timelineKeys, timelineRules } from '../../schemas/content/timeline.keys.ts';
import { batchesOf, claimAll, openTestEngine } from '../harness/engine.ts';
import { ana, ben, event, noon, nth } from '../harness/events.ts';
import { openProjectionKit } from '../harness/projection.ts';

let redis: Redis;
beforeAll(async () => {
  redis = createRedis(process.env.REDIS_URL!, { name: 'test' });
  await redisReady(redis);
});
afterAll(() => redis.disconnect());

const fence = (generation: bigint) => [{ topic: 'post-events', partition: 0, generation }];
const entry = (n: number) => ({ postId: nth(n), authorId: ben, publishedAt: noon + n });
const adding = (n: number) => [{ reader: ana, dropAuthors: [], drop: [], add: [entry(n)] }];

describe('the timelines in Redis', () => {
  let store: TimelineStore;
  let served: () => Promise<string[]>;
  const epoch = randomUUID();

  beforeEach(async () => {
    const prefix = `t${randomUUID()}.`;
    store = openTimelineStore(redis, prefix, 1, { length: 3, backfill: 1 });
    const keys = timelineKeys(prefix, 1);
    served = async () =>
      (await redis.zrevrange(keys.timeline(ana), 0, -1)).map((member) => member.slice(0, 36));
    const remake = await store.beginRemake();
    await remake.replace(new Map([[ana, [entry(1)]]]));
    await remake.finish(epoch);
    await store.raiseFences(fence(2n));
  });

  it('are written by who holds the partition, and by nobody who held it before', async () => {
    await store.edit(epoch, fence(2n), adding(2));
    await expect(store.edit(epoch, fence(1n), adding(3))).rejects.toBeInstanceOf(StaleTimelineWriter);
    expect(await served()).toEqual([nth(2), nth(1)]);
  });
  it('are not given back to a stale process by its claiming them late', async () => {
    await store.raiseFences(fence(1n));
    await expect(store.edit(epoch, fence(1n), adding(2))).rejects.toBeInstanceOf(StaleTimelineWriter);
  });
  it('are only added to while they are those that Postgres names', async () => {
    await expect(store.edit(randomUUID(), fence(2n), adding(2))).rejects.toMatchObject({ name: 'EpochLost' });
    const rewritten = store.rewrite(randomUUID(), new Map([[ana, []]]));
    await expect(rewritten).rejects.toMatchObject({ name: 'EpochLost' });
    expect(await served()).toEqual([nth(1)]);
  });
  it('are made again by one process at a time: an earlier one writes nothing more, nor calls them whole', async () => {
    const first = await store.beginRemake();
    const second = await store.beginRemake();
    await second.replace(new Map([[ana, [entry(2)]]]));
    const late = first.replace(new Map([[ana, [entry(1)]]]));
    await expect(late).rejects.toBeInstanceOf(StaleTimelineWriter);
    await expect(first.finish(randomUUID())).rejects.toBeInstanceOf(StaleTimelineWriter);
    expect([await served(), await store.readEpoch()]).toEqual([[nth(2)], null]);
  });
  it('are nobody’s from the beginning of a remake to its end, whatever the epoch was', async () => {
    const remake = await store.beginRemake();
    expect(await store.readEpoch()).toBeNull();
    await remake.replace(new Map([[ana, [entry(2)]]]));
    expect(await store.readEpoch()).toBeNull();
    await remake.finish(epoch);
    expect([await served(), await store.readEpoch()]).toEqual([[nth(2)], epoch]);
  });
});

describe('a round of timelines', () => {
  const published = (n: number) =>
    event(
      'PostPublished',
      {
        ...{ postId: nth(n + 100), authorId: ben, caption: 'c', location: null, mediaIds: [] },
        ...{ isReel: false, hideCounts: false, commentsOff: false },
      },
      noon + n,
    );
  const follow = event('UserFollowed', { followerId: ana, followeeId: ben, followedAt: noon }, noon);

  /** Timelines of the product's own rules. */
  async function world() {
    const kit = await openProjectionKit();
    const engine = await openTestEngine(kit);
    const installed = await kit.install(timelines);
    await claimAll(kit, installed);
    const store = openTimelineStore(redis, engine.prefix, installed.version, timelineRules);
    const options = { store, rules: timelineRules, threshold: 10_000 };
    await remakeWhenLost(engine, installed, options);
    const key = timelineKeys(engine.prefix, installed.version).timeline(ana);
    const size = () => redis.zcard(key);
    return { kit, engine, installed, options, size };
  }

  it('that Redis refuses is whole when it is taken again: its position was not saved before', async () => {
    const { kit, engine, installed, options, size } = await world();
    const refusing: TimelineStore = {
      ...options.store,
      edit: async () => {
        throw new StaleTimelineWriter('just now');
      },
    };
    const [batches] = batchesOf(engine, [[follow, published(1)]]);
    const refused = createTimelineHandler(engine, installed, { ...options, store: refusing })(batches!);
    await expect(refused).rejects.toMatchObject({ name: 'Fenced' });
    expect(await size()).toBe(0);
    await createTimelineHandler(engine, installed, options)(batches!);
    expect(await size()).toBe(1);
    await kit.close();
  });

  it('brings the 20 newest posts from before a follow, and keeps the newest 1,000 of all', async () => {
    const { kit, engine, installed, options, size } = await world();
    const handle = createTimelineHandler(engine, installed, options);
    const before = Array.from({ length: 22 }, (_, n) => published(-30 + n));
    const after = Array.from({ length: 1_003 }, (_, n) => published(1 + n));
    const rounds = batchesOf(engine, [[...before, follow], after]);
    await handle(rounds[0]!);
    expect(await size()).toBe(20);
    await handle(rounds[1]!);
    expect(await size()).toBe(1_000);
    await kit.close();
  });
});
