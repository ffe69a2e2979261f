import { setTimeout as sleepFor } from 'node:timers/promises';
import { fetchHeads } from '../../../platform/log/topics.ts';
import { type Pool, transaction } from '../../../platform/postgres/pool.ts';
import { consumerOf } from '../../../platform/postgres/serving.ts';
import { crashPoint } from '../../../platform/process/crash-points.ts';
import type { Installed } from '../apply.ts';
import type { Projection } from '../projection.ts';
import { type Engine, openBuild } from '../runner.ts';
import { type Build, BuildLost, moveBuild, noteError, releaseBuild, renewLease } from './builds.ts';
import { diskNeed } from './disk.ts';
import { aim, type FillOptions, fill, inheritKillers, leftToFill } from './fill.ts';
import { finishFilling } from './finish.ts';
import { openProgress } from './progress.ts';
import { isWhole } from './staging.ts';
import { switchTo } from './switch.ts';
import { findDifferences } from './verified.ts';

export interface CourseOptions {
  engine: Engine;
  projection: Projection;
  holder: string;
  /** A folder on the disk of Postgres, if this process sees it. */
  postgresData: string | null;
  /** What this process was started with: verify, a process of its own, finds the stack by it. */
  environment: NodeJS.ProcessEnv;
}

interface Course extends CourseOptions {
  installed: Installed;
  signal: AbortSignal;
}

const renewEveryMs = 3_000;
const firstPauseMs = 500;
const longestPauseMs = 15_000;
/** The bulk path is taken again for what has come meanwhile, as long as that is more than so many records. */
const leftToOrdinaryPath = 50_000;
const lookEveryMs = 200;
const deathsToGiveUp = 3;

/**
 * Works on one build until it is switched, waits for an operator, or is not ours any more. Each step ends in a row, so
 * whoever takes it up after a death goes on from there. What fails is tried again, visibly, as long as nobody cancels.
 */
export async function pursue(options: CourseOptions, taken: Build, closing: AbortSignal): Promise<void> {
  const { engine, projection, holder } = options;
  const over = new AbortController();
  const signal = AbortSignal.any([closing, over.signal]);
  const lease = setInterval(() => {
    renewLease(engine.pool, holder, taken).catch((error) => error instanceof BuildLost && over.abort(error));
  }, renewEveryMs);
  try {
    const installed = await openBuild(engine.pool, projection.model, taken.version);
    const course: Course = { ...options, installed, signal };
    let build = taken;
    for (let pause = firstPauseMs; ; ) {
      try {
        const next = await step(course, build);
        if (next === null) return;
        build = next;
        pause = firstPauseMs;
      } catch (error) {
        if (signal.aborted || error instanceof BuildLost) return;
        const detail = (error as Error).message;
        engine.log.warn(
          { model: build.model, version: build.version, state: build.state, err: error },
          'rebuild: tried again',
        );
        await noteError(engine.pool, build, `${detail}; tried again`).catch(() => {});
        await sleep(pause, signal);
        pause = Math.min(pause * 2, longestPauseMs);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(lease);
    await releaseBuild(engine.pool, holder, taken).catch(() => {});
  }
}

/** One state's work; gives the build in its next state, or null when there is nothing more to do here. */
async function step(course: Course, build: Build): Promise<Build | null> {
  switch (build.state) {
    case 'waiting':
      return begin(course, build);
    case 'filling':
      return fillUp(course, build);
    case 'indexing':
      return settle(course, build);
    case 'catching_up':
      return catchUp(course, build);
    case 'verifying':
      return prove(course, build);
    case 'ready':
      return build.autoSwitch ? lead(course, build) : null;
    default:
      return null;
  }
}

async function begin({ engine, holder, postgresData }: Course, build: Build): Promise<Build> {
  const { enough, detail } = await diskNeed(engine.pool, build, postgresData);
  engine.log.info({ model: build.model, version: build.version, detail }, 'rebuild begins');
  return moveBuild(engine.pool, holder, build, enough ? 'filling' : 'failed', detail);
}

async function fillUp(course: Course, build: Build): Promise<Build> {
  const { engine, installed, holder, signal } = course;
  if (build.deaths >= deathsToGiveUp) return giveUp(course, build);
  const progress = openProgress(engine.pool, build);
  const unpaused = () => untilUnpaused(course, build.model);
  const killers = await inheritKillers({ engine, installed });
  const options: FillOptions = { engine, installed, build, holder, progress, signal, killers, unpaused };
  try {
    for (let left = Infinity; left > leftToOrdinaryPath; ) {
      await aim(options);
      left = (await leftToFill(options)).reduce((sum, { from, to }) => sum + Number(to - from), 0);
      await fill(options);
    }
  } finally {
    await progress.close();
  }
  return moveBuild(engine.pool, holder, build, 'indexing', build.detail);
}

/** Somebody has to look, and the projectors must live on: the served version goes on as ever. */
function giveUp({ engine, holder }: Course, build: Build): Promise<Build> {
  return moveBuild(
    engine.pool,
    holder,
    build,
    'failed',
    `${build.deaths} processes died one after the other while they filled it, without getting further. The last lines of their logs tell of what; see also emulsion dead-letters list --model ${build.model}.`,
  );
}

/** Tables out of what was staged, in one transaction that also hands the build to the ordinary path. */
async function settle(course: Course, build: Build): Promise<Build> {
  const { engine, projection, installed, holder } = course;
  return transaction(engine.pool, async (client) => {
    // A crash of Postgres has emptied what was staged: from the beginning.
    if (!(await isWhole(client, installed.schema)))
      return moveBuild(client, holder, build, 'filling', build.detail);
    await finishFilling(client, projection, installed);
    return moveBuild(client, holder, build, 'catching_up', build.detail);
  });
}

/** Waits until the ordinary path has brought the build to where the served version was when this began. */
async function catchUp(course: Course, build: Build): Promise<Build> {
  const { engine, projection, installed, holder, signal } = course;
  crashPoint('rebuild.indexed');
  const goal = await goalOf(engine, installed);
  for (;;) {
    const waiting =
      (await behind(engine.pool, installed, goal)) ?? (await projection.pending?.(engine, installed)) ?? null;
    if (waiting === null) return moveBuild(engine.pool, holder, build, 'verifying', build.detail);
    await sleep(lookEveryMs, signal);
  }
}

/** Where the served version is; where none is served, where the log ends. */
async function goalOf({ pool, kafka, prefix }: Engine, { model }: Installed): Promise<Map<string, bigint>> {
  const served = await pool.query('SELECT version FROM engine.serving WHERE model = $1', [model.name]);
  if (served.rowCount === 1) return positionsOf(pool, consumerOf(model.name, served.rows[0].version));
  const heads = await fetchHeads(kafka, prefix, model.topics);
  return new Map(
    [...heads].flatMap(([topic, ends]) => ends.map((end, p) => [`${topic}/${p}`, end] as const)),
  );
}

async function behind(
  pool: Pool,
  { consumer }: Installed,
  goal: ReadonlyMap<string, bigint>,
): Promise<string | null> {
  const own = await positionsOf(pool, consumer);
  const late = [...goal].filter(([id, end]) => (own.get(id) ?? 0n) < end);
  return late.length === 0 ? null : `${late.length} partitions are behind`;
}

async function positionsOf(pool: Pool, consumer: string): Promise<Map<string, bigint>> {
  const { rows } = await pool.query(
    'SELECT topic, partition, position FROM engine.position WHERE consumer = $1',
    [consumer],
  );
  return new Map(rows.map((row) => [`${row.topic}/${row.partition}`, BigInt(row.position)]));
}

async function prove({ engine, holder, environment, signal }: Course, build: Build): Promise<Build> {
  const differences = await findDifferences(build, environment, signal);
  crashPoint('rebuild.verified');
  if (differences === null)
    return moveBuild(engine.pool, holder, build, 'ready', 'verified: equal to the log');
  return moveBuild(
    engine.pool,
    holder,
    build,
    'failed',
    `verify finds other rows than the log says: ${differences.replace(/\.$/, '')}. Look with emulsion verify ${build.model} --version ${build.version}; nothing was switched.`,
  );
}

async function lead({ engine, holder }: Course, build: Build): Promise<Build> {
  const switched = await transaction(engine.pool, async (client) => {
    await switchTo(client, build.model, build.version);
    return moveBuild(client, holder, build, 'switched', build.detail);
  });
  crashPoint('switch.done');
  engine.log.info({ model: build.model, version: build.version }, 'readers are led to the new build');
  return switched;
}

async function untilUnpaused({ engine, signal }: Course, model: string): Promise<void> {
  while (engine.pauses.isPaused(model)) await sleep(lookEveryMs, signal);
}

/** Rejects when the signal is aborted. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await sleepFor(ms, undefined, { signal });
}
