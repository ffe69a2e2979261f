import { setTimeout as sleep } from 'node:timers/promises';
import { fetchHeads } from '../../platform/log/topics.ts';
import { schemaOf } from '../../platform/postgres/serving.ts';
import { ask } from '../operate/ask.ts';
import { consumeRaw, copyLikes, settleDisk } from './ceilings.ts';
import { mustBeExact } from './exact.ts';
import { against, type BenchReport, type Figure, figureOf, loadNow, type Run } from './figures.ts';
import { appendEvents, likeEvent, likeFacts, mapped } from './likes.ts';
import { installModels, startProjectors } from './projectors.ts';
import { type BenchWorld, inBenchWorld } from './world.ts';

export interface RebuildOptions {
  /** In the smallest log; the others have four and sixteen times as many. */
  likes: number;
  runs: number;
  say(text: string): void;
}

/** A log of likes of some length, with the runs on it. */
interface Log {
  world: BenchWorld;
  times: number;
  likes: number;
  runs: Run[];
}

const sizes = [1, 4, 16] as const;
/** The one that is held against the ceilings. */
const headline = 4;
/** Between the fastest and the slowest size. */
const sameRateWithin = 0.25;

/** Likes are built again from logs of three lengths, each in a world of its own; ceilings take turns with them. */
export async function benchRebuild(signal: AbortSignal, options: RebuildOptions): Promise<BenchReport> {
  return inBenchWorld(signal, (one) =>
    inBenchWorld(signal, (four) => inBenchWorld(signal, (sixteen) => compare([one, four, sixteen], options))),
  );
}

async function compare(worlds: readonly BenchWorld[], options: RebuildOptions): Promise<BenchReport> {
  const { likes, runs, say } = options;
  const loadAverage = loadNow();
  const logs: Log[] = [];
  for (const [n, world] of worlds.entries()) {
    const log = { world, times: sizes[n]!, likes: likes * sizes[n]!, runs: [] };
    say(`appending ${log.likes.toLocaleString('en')} likes`);
    await fillLog(log);
    logs.push(log);
  }
  const main = logs.find(({ times }) => times === headline)!;
  const raw: Run[] = [];
  const copy: Run[] = [];
  for (let run = 1; run <= runs; run += 1) {
    say(`run ${run} of ${runs}: rebuild of three lengths, raw consume, COPY and primary key`);
    for (const log of logs) log.runs.push(await rebuild(log));
    raw.push(await consumeRaw(main.world, 'like-events', main.likes));
    copy.push(await copyLikes(main.world, likeFacts(main.likes)));
  }
  const figures = new Map(logs.map((log) => [log.times, figureOf(nameOf(log), log.runs)]));
  const ceilings = [
    figureOf('ceiling: raw consume of the same records', raw),
    figureOf('ceiling: COPY of the same rows and primary key', copy),
  ];
  return {
    bench: 'rebuild',
    subject: against(figures.get(headline)!, ceilings),
    others: [...[...figures].flatMap(([times, figure]) => (times === headline ? [] : figure)), ...ceilings],
    loadAverage,
    notes: [flatness([...figures.values()])],
  };
}

function nameOf({ times, likes }: Log): string {
  return `rebuild of likes, ${times} times the log (${likes.toLocaleString('en')})`;
}

function flatness(figures: readonly Figure[]): string {
  const rates = figures.map(({ perSecond }) => perSecond);
  const spread = 1 - Math.min(...rates) / Math.max(...rates);
  const memory = figures.map(({ memoryMb }) => `${memoryMb} MB`).join(', ');
  const verdict = spread <= sameRateWithin ? 'the same rate' : 'not the same rate';
  return `1, 4 and 16 times the log: ${verdict}, ${Math.round(spread * 100)} % between the fastest and the slowest; peak memory ${memory}`;
}

const consumer = 'likes.v1';

/** A served version that stands at the end of the log, so that nothing but the rebuild is at work. */
async function fillLog({ world, likes }: Log): Promise<void> {
  await installModels(world);
  await appendEvents(world, mapped(likeFacts(likes), likeEvent));
  const { kafka, prefix, owner } = world;
  const heads = (await fetchHeads(kafka, prefix, ['like-events'])).get('like-events')!;
  await owner.query(
    `UPDATE engine.position p SET position = n.head FROM unnest($2::bigint[]) WITH ORDINALITY AS n (head, place)
     WHERE p.consumer = $1 AND p.partition = n.place - 1`,
    [consumer, heads.map(String)],
  );
}

/** From when filling begins to when the tables are whole, with their keys, indexes and counters. */
async function rebuild({ world, likes }: Log): Promise<Run> {
  await settleDisk(world.owner);
  const projectors = startProjectors(world);
  const answer = await ask(
    world.owner,
    { kind: 'rebuild', model: 'likes', arguments: { switch: false }, askedBy: 'bench' },
    { queuedMs: 60_000, takenMs: 60_000 },
  );
  if (answer.outcome !== 'done') throw new Error(`likes are not rebuilt: ${answer.detail}`);
  const { version, seconds } = await untilWhole(world);
  const memoryMb = projectors.memoryMb();
  await mustBeExact(world, schemaOf('likes', version), likes);
  await ask(
    world.owner,
    { kind: 'cancel', model: 'likes', askedBy: 'bench' },
    { queuedMs: 60_000, takenMs: 60_000 },
  );
  await untilDropped(world, version);
  await projectors.stop();
  return { count: likes, seconds, rounds: [seconds * 1_000], memoryMb };
}

const lookEveryMs = 10;

async function untilWhole({ owner }: BenchWorld): Promise<{ version: number; seconds: number }> {
  for (;;) {
    const { rows } = await owner.query(
      `SELECT version, state, detail, extract(epoch FROM clock_timestamp() - started_at)::float8 AS seconds
       FROM engine.rebuild WHERE model = 'likes' ORDER BY version DESC LIMIT 1`,
    );
    const { version, state, detail, seconds } = rows[0];
    if (state === 'failed') throw new Error(`the rebuild failed: ${detail}`);
    if (!['waiting', 'filling', 'indexing'].includes(state)) return { version, seconds };
    await sleep(lookEveryMs);
  }
}

async function untilDropped({ owner }: BenchWorld, version: number): Promise<void> {
  const left = 'SELECT FROM pg_namespace WHERE nspname = $1';
  while ((await owner.query(left, [schemaOf('likes', version)])).rowCount !== 0) await sleep(100);
}
