import { setTimeout as sleep } from 'node:timers/promises';
import type { Stretch } from '../../platform/log/read-log.ts';
import { fetchHeads } from '../../platform/log/topics.ts';
import type { Pool } from '../../platform/postgres/pool.ts';
import type { Redis } from '../../platform/redis/redis.ts';
import type { TableResult } from './compare.ts';
import type { Difference } from './difference.ts';
import type { Source } from './events.ts';
import { type Cause, explain, marksIn } from './explain.ts';
import { allFacts } from './facts/all.ts';
import { comparePasses, stretchesOf, type Verified } from './passes.ts';
import { compareFeeds, type ServedResult } from './served.ts';
import { openSnapshot, type Snapshot } from './snapshot.ts';
import { shapeFindings } from './tables.ts';

export interface World extends Source {
  pool: Pool;
  redis: Redis;
}

export interface VerifyOptions {
  /** Model names; all served ones when empty. */
  models: readonly string[];
  /** Of the one model named, also when it is not served. */
  version?: number;
  /** Passes over the log; by its size when not given. */
  buckets?: number;
}

export interface VerifyReport {
  models: { model: string; version: number; events: number; parked: number }[];
  tables: TableResult[];
  /** What no row can tell: a table that is not known, a record that does not decode, a model that is not there. */
  findings: string[];
  /** The first of each table, with the events that made them. */
  differences: (Difference & { events: Cause[] })[];
  /** Rows that changed each time they were looked at, on a system that is being written to. */
  moving: number;
  feeds: { readers: number; from: 'redis' | 'postgres' } | null;
  seconds: number;
}

/** Records folded in one pass: what keeps the process below a gigabyte. */
const recordsAPass = 250_000;
const printedATable = 10;
const rounds = 5;
const roundPauseMs = 500;

interface Round {
  models: Verified[];
  tables: TableResult[];
  findings: string[];
  /** Not what the log says, whatever is being written. */
  settled: Difference[];
  /** Differ while events that bear on them are under way. */
  moving: Difference[];
  feeds: ServedResult | null;
}

/**
 * Folds the log by itself up to the positions of one snapshot and compares every row, and every feed. Only timelines
 * can be ahead of their position (they write rows and Redis first): what differs there while newer events bear on it
 * is looked at again, under a new snapshot.
 */
export async function verify(world: World, options: VerifyOptions): Promise<VerifyReport> {
  const began = performance.now();
  const first = await verifyOnce(world, options);
  const settled = [...first.settled];
  let moving = first.moving;
  for (let round = 2; round <= rounds && moving.length > 0; round += 1) {
    await sleep(roundPauseMs);
    const again = await verifyOnce(world, { ...options, models: ['timelines'] });
    const open = new Set(moving.map(identity));
    settled.push(...again.settled.filter((difference) => open.has(identity(difference))));
    moving = again.moving.filter((difference) => open.has(identity(difference)));
  }
  const printed = firstOfEach(settled);
  const causes =
    printed.length > 0 ? await explain(world, stretchesOf(first.models), specsOf(first.models), printed) : [];
  return {
    models: first.models.map(({ spec, state }) => ({
      model: spec.model,
      version: state.version,
      events: stretchesOf([{ spec, state }]).reduce((sum, stretch) => sum + Number(stretch.to), 0),
      parked: state.parked.size,
    })),
    tables: first.tables.map((table) => withSettled(table, settled, first)),
    findings: first.findings,
    differences: printed.map((difference, index) => ({ ...difference, events: causes[index]! })),
    moving: moving.length,
    feeds: first.feeds && { readers: first.feeds.readers, from: first.feeds.from },
    seconds: (performance.now() - began) / 1_000,
  };
}

async function verifyOnce(world: World, options: VerifyOptions): Promise<Round> {
  const snapshot = await openSnapshot(
    world.pool,
    options.version ? { model: options.models[0]!, version: options.version } : undefined,
  );
  try {
    // After the snapshot: what is ruled later concerns records that are parked in it.
    await world.rulings.refresh();
    const { models, findings } = await chooseModels(snapshot, options.models);
    const buckets = options.buckets ?? bucketsFor(stretchesOf(models));
    const passes = await comparePasses(world, snapshot, models, buckets);
    const timelines = models.find(({ spec }) => spec.model === 'timelines');
    const feeds = timelines
      ? await compareFeeds(world, snapshot, world.redis, timelines, passes.posts, buckets)
      : null;
    const differences = [...passes.differences, ...(feeds?.differences ?? [])];
    const { settled, moving } = await splitMoving(world, timelines, differences);
    const tables = feeds ? [...passes.tables, feeds.table] : passes.tables;
    return { models, tables, findings: [...findings, ...passes.broken], settled, moving, feeds };
  } finally {
    await snapshot.close();
  }
}

async function chooseModels(
  snapshot: Snapshot,
  names: readonly string[],
): Promise<{ models: Verified[]; findings: string[] }> {
  const wanted = allFacts.filter(({ model }) => names.length === 0 || names.includes(model));
  const models: Verified[] = [];
  const findings: string[] = [];
  for (const spec of wanted) {
    const state = snapshot.models.find(({ model }) => model === spec.model);
    if (!state) {
      findings.push(`${spec.model} is not served: no version of it is in engine.serving.`);
      continue;
    }
    const shape = await shapeFindings(snapshot.client, spec, state.schema);
    findings.push(...shape);
    if (shape.length === 0) models.push({ spec, state });
  }
  const unknown = snapshot.models.filter(({ model }) => !allFacts.some((spec) => spec.model === model));
  findings.push(...unknown.map(({ model }) => `${model} is served, but verify knows nothing of it.`));
  return { models, findings };
}

function bucketsFor(stretches: readonly Stretch[]): number {
  const records = stretches.reduce((sum, stretch) => sum + Number(stretch.to), 0);
  return Math.max(1, Math.ceil(records / recordsAPass));
}

/** Events from the snapshot's positions up to now may explain what differs in the timelines, and nothing else. */
async function splitMoving(
  world: World,
  timelines: Verified | undefined,
  differences: Difference[],
): Promise<{ settled: Difference[]; moving: Difference[] }> {
  const own = differences.filter(({ model }) => model === 'timelines');
  if (!timelines || own.length === 0) return { settled: differences, moving: [] };
  const heads = await fetchHeads(world.kafka, world.prefix, timelines.spec.topics);
  const tail = [...timelines.state.positions].map(([id, from]) => {
    const slash = id.lastIndexOf('/');
    const topic = id.slice(0, slash);
    const partition = Number(id.slice(slash + 1));
    return { topic, partition, from: BigInt(from), to: heads.get(topic)?.[partition] ?? 0n };
  });
  const marks = await marksIn(world, tail, [timelines.spec]);
  const isMoving = (difference: Difference): boolean =>
    difference.model === 'timelines' && difference.inputs.some((mark) => marks.has(mark));
  return { settled: differences.filter((d) => !isMoving(d)), moving: differences.filter(isMoving) };
}

function specsOf(models: readonly Verified[]) {
  return models.map(({ spec }) => spec);
}

function identity({ model, table, key }: Difference): string {
  return `${model}.${table} ${key}`;
}

function firstOfEach(differences: readonly Difference[]): Difference[] {
  const groups = Map.groupBy(differences, ({ model, table }) => `${model}.${table}`);
  return [...groups.values()].flatMap((group) => group.slice(0, printedATable));
}

/** Counts what is left of a table's differences when those were taken out that moved. */
function withSettled(table: TableResult, settled: readonly Difference[], first: Round): TableResult {
  const isOwn = (d: Difference): boolean => d.model === table.model && d.table === table.table;
  if (!first.moving.some(isOwn)) return table;
  return { ...table, differences: settled.filter(isOwn).length };
}

export function isEqual(report: VerifyReport): boolean {
  return report.findings.length === 0 && report.tables.every((table) => table.differences === 0);
}
