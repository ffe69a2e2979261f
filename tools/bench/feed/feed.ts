import { createRandom, type Random } from '../../load/random.ts';
import { against, type BenchReport, figureOf, loadNow, type Run } from '../figures.ts';
import { type HttpLoad, loadHttp } from '../http-load.ts';
import { startProcess, urlOf, type WorldProcess } from '../process.ts';
import type { BenchWorld } from '../world.ts';
import { startArrivals } from './arrivals.ts';
import { type FeedStage, openFeedStage } from './stage.ts';
import { type FeedAnswer, faultOf } from './truth.ts';

export interface FeedOptions {
  readers: number;
  seconds: number;
  connections: number;
  runs: number;
  say(text: string): void;
}

/** Posts of a page. */
const limit = 20;
const path = `/api/feed?limit=${limit}`;
/** Seconds from the first request of a fresh process that count as cold. */
const coldSeconds = 5;
/** One answer of so many is kept and compared with the facts afterwards, and at most so many of a run. */
const sampleEvery = 50;
const sampled = 3_000;

/** Home feeds of everybody, while likes and follows arrive; a constant body of as many bytes takes turns with them. */
export async function benchFeed(world: BenchWorld, options: FeedOptions): Promise<BenchReport> {
  const { runs, connections, say } = options;
  const loadAverage = loadNow();
  const stage = await openFeedStage(world, options.readers, say);
  const cold: Run[] = [];
  const warm: Run[] = [];
  const constant: Run[] = [];
  let checked = 0;
  const arrivals = await startArrivals(world, stage);
  for (let run = 1; run <= runs; run += 1) {
    say(`run ${run} of ${runs}: feeds of a fresh process, feeds, a constant body`);
    const read = await readFeeds(world, stage, options, run);
    cold.push(read.cold);
    warm.push(read.warm);
    checked += mustBeTrue(read.kept, stage);
    constant.push(await readConstant(world, stage, options, read.kept[0]!.body));
  }
  const { likesPerSecond, followsPerSecond } = await arrivals.stop();
  const ceiling = figureOf('ceiling: a Koa route, constant body of as many bytes', constant);
  return {
    bench: 'feed',
    subject: against(figureOf(`home feeds of ${limit} posts, ${connections} connections, warm`, warm), [
      ceiling,
    ]),
    others: [
      against(figureOf(`the same, first ${coldSeconds} s of a fresh process`, cold), [ceiling]),
      ceiling,
    ],
    loadAverage,
    notes: [
      `${checked.toLocaleString('en')} answers compared with what was written: all true`,
      `${options.readers.toLocaleString('en')} readers; beside both ${Math.round(likesPerSecond)} likes and ${Math.round(followsPerSecond)} follows a second arrived`,
    ],
  };
}

/** An answer as it came. */
interface Kept {
  readerId: string;
  body: string;
  asOf: number;
  receivedAt: number;
}

async function readFeeds(
  world: BenchWorld,
  stage: FeedStage,
  { connections, seconds }: FeedOptions,
  run: number,
): Promise<{ cold: Run; warm: Run; kept: Kept[] }> {
  const api = startProcess(world, {
    main: 'query-api/main.ts',
    databaseKey: 'QUERY_DATABASE_URL',
    env: { EMULSION_HOST: '127.0.0.1' },
  });
  const kept: Kept[] = [];
  const asked = asking(stage, createRandom(`readers ${run}`), kept);
  const load = { ...asked, url: await urlOf(api), connections, cpuSeconds: api.cpuSeconds };
  const cold = await loadHttp({ ...load, seconds: coldSeconds });
  const warm = await loadHttp({ ...load, seconds });
  return { cold, warm: await withMemory(api, warm), kept };
}

/** Any reader, whoever comes; what some are answered is kept. */
function asking(
  { readers, tokens }: FeedStage,
  random: Random,
  kept: Kept[],
): Pick<HttpLoad, 'method' | 'next' | 'answered'> {
  let answers = 0;
  return {
    method: 'GET',
    next(asked) {
      const n = random.below(readers.length);
      asked.readerId = readers[n]!.userId;
      return { path, headers: { authorization: `Bearer ${tokens[n]}` } };
    },
    answered(body, headers, asked) {
      answers += 1;
      if (answers % sampleEvery !== 1 || kept.length >= sampled) return;
      const readerId = String(asked.readerId);
      kept.push({ readerId, body, asOf: Date.parse(headers['X-As-Of'] ?? ''), receivedAt: Date.now() });
    },
  };
}

async function withMemory(api: WorldProcess, run: Run): Promise<Run> {
  const memoryMb = api.memoryMb();
  await api.stop();
  return { ...run, memoryMb };
}

/** A fast wrong answer is none. Gives how many were looked at. */
function mustBeTrue(kept: readonly Kept[], { facts }: FeedStage): number {
  for (const { readerId, body, asOf, receivedAt } of kept) {
    if (Number.isNaN(asOf)) throw new Error('An answer does not say as of when it is.');
    const { items } = JSON.parse(body) as Pick<FeedAnswer, 'items'>;
    const fault = faultOf({ readerId, asOf, receivedAt, items }, facts, limit);
    if (fault) throw new Error(`An answer is wrong: ${fault}.`);
  }
  return kept.length;
}

/** The same generator asks the same of a process that answers one of our bodies to everybody. */
async function readConstant(
  world: BenchWorld,
  stage: FeedStage,
  { connections, seconds }: FeedOptions,
  body: string,
): Promise<Run> {
  const koa = startProcess(world, {
    main: 'tools/bench/feed/constant.ts',
    databaseKey: 'QUERY_DATABASE_URL',
    env: { BENCH_BODY: body },
  });
  const asked = asking(stage, createRandom('constant'), []);
  const load = { ...asked, url: await urlOf(koa), connections, cpuSeconds: koa.cpuSeconds };
  await loadHttp({ ...load, seconds: coldSeconds });
  return withMemory(koa, await loadHttp({ ...load, seconds }));
}
