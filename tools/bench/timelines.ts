import { setTimeout as sleep } from 'node:timers/promises';
import { schemaOf } from '../../platform/postgres/serving.ts';
import { createRedis, type Redis, redisReady } from '../../platform/redis/redis.ts';
import { timelineKeys } from '../../schemas/content/timeline.keys.ts';
import { settleDisk } from './ceilings.ts';
import { createFeeds, type Feeds } from './feeds.ts';
import { against, type BenchReport, figureOf, loadNow, type Run } from './figures.ts';
import { appendEvents } from './likes.ts';
import { installModels, type Projectors, startProjectors } from './projectors.ts';
import { type BenchWorld, forgetKeys } from './world.ts';

export interface TimelinesOptions {
  posts: number;
  runs: number;
  say(text: string): void;
}

const consumer = 'timelines.v1';
const schema = schemaOf('timelines', 1);
/** Models of the same topics: what is measured is the timelines alone. */
const beside = ['posts', 'graph'];

interface Bench {
  world: BenchWorld;
  redis: Redis;
  feeds: Feeds;
}

/** A backlog of posts reaches its readers' timelines by one projectors process, and all are made again from facts. */
export async function benchTimelines(world: BenchWorld, options: TimelinesOptions): Promise<BenchReport> {
  const { posts, runs, say } = options;
  const loadAverage = loadNow();
  const redis = createRedis(world.env.REDIS_URL!, { name: 'bench' });
  world.atEnd(async () => redis.disconnect());
  await redisReady(redis);
  const bench: Bench = { world, redis, feeds: createFeeds(posts) };
  await installModels(world);
  say(`projecting ${bench.feeds.follows.length.toLocaleString('en')} follows`);
  await follow(bench);
  await appendEvents(world, bench.feeds.posts);
  const fanned: Run[] = [];
  const remade: Run[] = [];
  const added: Run[] = [];
  for (let run = 1; run <= runs; run += 1) {
    say(`run ${run} of ${runs}: fan-out, all made again, pipelined ZADD`);
    const both = await fanOutAndRemake(bench);
    fanned.push(both.fanned);
    remade.push(both.remade);
    added.push(await addPipelined(bench));
  }
  const ceiling = figureOf('ceiling: pipelined ZADD of the same entries', added);
  return {
    bench: 'timelines',
    subject: against(figureOf('entries of posts fanned out, one projectors process', fanned), [ceiling]),
    others: [against(figureOf('entries of all timelines made again from facts', remade), [ceiling]), ceiling],
    loadAverage,
    notes: [],
  };
}

/** Before the posts: everybody follows, and the models beside stand still. */
async function follow({ world, feeds }: Bench): Promise<void> {
  await world.owner.query(`INSERT INTO engine.pause (model, paused_by) SELECT unnest($1::text[]), 'bench'`, [
    beside,
  ]);
  await appendEvents(world, feeds.follows);
  const projectors = startProjectors(world);
  await projectors.applied(consumer, feeds.follows.length);
  await projectors.stop();
}

async function fanOutAndRemake(bench: Bench): Promise<{ fanned: Run; remade: Run }> {
  const { world, redis, feeds } = bench;
  await forgetPosts(world);
  await settleDisk(world.owner);
  const projectors = startProjectors(world);
  await projectors.applied(consumer, feeds.posts.length);
  const fanned = projectors.run(consumer, feeds.entries);
  await mustHoldAll(bench);
  const remade = await remake(bench, projectors);
  await mustHoldAll(bench);
  await projectors.stop();
  await redis.ping();
  return { fanned, remade };
}

async function forgetPosts({ owner, env, prefix }: BenchWorld): Promise<void> {
  await owner.query(`TRUNCATE ${schema}.timeline_post`);
  await owner.query(`DELETE FROM engine.position WHERE consumer = $1 AND topic = 'post-events'`, [consumer]);
  await forgetKeys(env.REDIS_URL!, prefix);
}

/** Redis forgets which timelines it holds; the process notices and makes every one again. */
async function remake({ world, redis, feeds }: Bench, projectors: Projectors): Promise<Run> {
  const told = projectors.next('timelines made again from the facts');
  await redis.del(timelineKeys(world.prefix, 1).epoch);
  const { seconds } = await told;
  return { count: feeds.entries, seconds: Number(seconds) };
}

/** A fast wrong answer is none: every post is in every timeline that it belongs to. */
async function mustHoldAll({ world, redis, feeds }: Bench): Promise<void> {
  const keys = timelineKeys(world.prefix, 1);
  const people = new Set([...feeds.followers].flatMap(([author, followers]) => [author, ...followers]));
  const pipeline = redis.pipeline();
  for (const reader of people) pipeline.zcard(keys.timeline(reader));
  const sizes = (await pipeline.exec())!.map(([, size]) => Number(size));
  const held = sizes.reduce((sum, size) => sum + size, 0);
  if (held !== feeds.entries) throw new Error(`the timelines hold ${held} entries of ${feeds.entries}.`);
}

const commandsAtOnce = 2_000;

/** One ZADD an entry, thousands of them under way. */
async function addPipelined({ world, redis, feeds }: Bench): Promise<Run> {
  const name = (reader: string): string => `${world.prefix}ceiling:${reader}`;
  const began = performance.now();
  let pipeline = redis.pipeline();
  for (const { postId, authorId, meta } of feeds.posts) {
    for (const reader of [authorId, ...feeds.followers.get(authorId)!]) {
      pipeline.zadd(name(reader), meta.time, `${postId}:${authorId}`);
      if (pipeline.length < commandsAtOnce) continue;
      await pipeline.exec();
      pipeline = redis.pipeline();
    }
  }
  await pipeline.exec();
  const seconds = (performance.now() - began) / 1_000;
  await forgetKeys(world.env.REDIS_URL!, `${world.prefix}ceiling:`);
  await sleep(100);
  return { count: feeds.entries, seconds };
}
