import type { PartitionBatch } from '../../platform/log/consumer.ts';
import { reasonOf } from '../../platform/log/outage.ts';
import type { Client, Pool, Queryable } from '../../platform/postgres/pool.ts';
import { Fenced, holdPositions } from '../../platform/postgres/positions.ts';
import { crashPoint } from '../../platform/process/crash-points.ts';
import type { TimelineRules } from '../../schemas/content/timeline.keys.ts';
import {
  type Applied,
  applyRound,
  type Installed,
  lockBucket,
  lockBuckets,
  saveApplied,
  settleRows,
} from '../engine/apply.ts';
import type { Change, SeenEvent } from '../engine/model.ts';
import { type Engine, finishRound, type RunningModel, runInstalled } from '../engine/runner.ts';
import {
  edgesOf,
  markPulled,
  partsOf,
  readersOf,
  readFanOut,
  readReaders,
  readTimelines,
} from './timeline.facts.ts';
import { concernedBy, editsOf, type FanOut, type Touched, touchErased, touchedBy } from './timeline.model.ts';
import { StaleTimelineWriter, type TimelineStore } from './timeline.redis.ts';

/** Events of a round: each post may go to as many readers as the threshold allows. */
const maxRecords = 1_000;
/** Readers whose timelines are made in one statement. */
const readersPerPage = 500;

export interface TimelineOptions {
  store: TimelineStore;
  rules: TimelineRules;
  /** Followers above which an author is pulled at read. */
  threshold: number;
}

interface Round {
  engine: Engine;
  installed: Installed;
  options: TimelineOptions;
}

/** Runs one build of the timelines: facts to Postgres, what they amount to to Redis, then the position (DESIGN §6). */
export async function runTimelines(
  engine: Engine,
  installed: Installed,
  options: TimelineOptions,
): Promise<RunningModel> {
  const keeper = await keepTimelinesWhole(engine, installed, options);
  const running = runInstalled(engine, installed, createTimelineHandler(engine, installed, options), {
    maxRecords,
    // Redis may be away: then the epoch is changed below, and the fences are set when the timelines are made again.
    claimed: (positions) => options.store.raiseFences(positions).catch(() => {}),
  });
  return {
    ...running,
    // Its rows go on without Redis; operators are told all the same.
    state() {
      const own = running.state();
      return own.state === 'running' ? (keeper.trouble() ?? own) : own;
    },
    async close() {
      await running.close();
      await keeper.close();
    },
  };
}

/**
 * The rows are committed under the fence before the other side is read, so of a post and a follow at once at least
 * one sees the other; Redis is written from that reading under the authors' locks, so no older one overtakes a newer.
 */
export function createTimelineHandler(engine: Engine, installed: Installed, options: TimelineOptions) {
  const round: Round = { engine, installed, options };
  return async (batches: readonly PartitionBatch[]): Promise<void> => {
    const began = performance.now();
    const applied = await applyRound(engine, installed, batches, {
      fence: holdPositions,
      savesLater: true,
      write: settleRows,
      inTransaction: (client, events) => afterRows(round, client, events),
      committed: (part) => show(round, part),
    });
    finishRound(engine, installed, batches, applied, began);
  };
}

async function afterRows(round: Round, client: Client, events: readonly SeenEvent[]): Promise<Touched> {
  const { schema } = round.installed;
  const touched = touchedBy(events);
  crashPoint('timelines.applied');
  await markPulled(client, schema, touched.authors, round.options.threshold);
  const erased = events.flatMap((event) => (event.type === 'UserErased' ? [event.userId] : []));
  if (erased.length === 0) return touched;
  return touchErased(touched, erased, await edgesOf(client, schema, erased));
}

/** Brings Redis to what the committed rows say, then saves the position. */
async function show(round: Round, part: Applied<Touched>): Promise<void> {
  const { engine, installed } = round;
  crashPoint('timelines.committed');
  const locks = part.result.removes ? allBuckets : bucketsOf(part.result);
  const dropped = await withLocks(engine.pool, installed.consumer, locks, (holder) =>
    fanOut(round, part, holder),
  );
  crashPoint('timelines.dropped');
  if (dropped) await restore(round, part);
  crashPoint('timelines.shown');
  await saveApplied(engine.pool, installed.consumer, part);
}

/** Whether something may have left a timeline. While a part is written to Redis the next one is read. */
async function fanOut(round: Round, part: Applied<Touched>, holder: Client): Promise<boolean> {
  const { options } = round;
  const { pool } = round.engine;
  const { schema } = round.installed;
  const read = (touched: Touched): Promise<FanOut> => {
    const fan = readFanOut(pool, schema, options.rules, touched);
    fan.catch(() => {});
    return fan;
  };
  const parts = await partsOf(pool, schema, part.result);
  let dropped = false;
  let next = read(parts[0]!);
  for (let n = 1; n <= parts.length; n += 1) {
    const edits = editsOf(await next);
    if (n < parts.length) next = read(parts[n]!);
    dropped ||= edits.some(({ drop, dropAuthors }) => drop.length + dropAuthors.length > 0);
    if (edits.length === 0) continue;
    await inRedis(round, async (epoch) => {
      await options.store.edit(epoch, part.steps, edits);
      await stillHeld(holder);
    });
  }
  return dropped;
}

/**
 * Full timelines lost something, by this round or by one that died with this to do: what was cut off them comes back
 * from the facts, while everybody else waits.
 */
async function restore(round: Round, part: Applied<Touched>): Promise<void> {
  const { engine, installed, options } = round;
  const { store, rules } = options;
  for (let goesOn = true; goesOn; ) {
    const short = await inRedis(round, () => store.short(readersPerPage));
    if (!short || short.length === 0) return;
    const work = async (holder: Client): Promise<boolean> => {
      const whole = await readTimelines(engine.pool, installed.schema, rules, short);
      const edits = [...whole].map(([reader, add]) => ({ reader, dropAuthors: [], drop: [], add }));
      const done = await inRedis(round, async (epoch) => {
        await store.edit(epoch, part.steps, edits);
        await stillHeld(holder);
        await store.restored(epoch, part.steps, short);
        return true;
      });
      // Otherwise all timelines are made again, these too.
      return done === true;
    };
    goesOn = await withLocks(engine.pool, installed.consumer, allBuckets, work);
  }
}

/**
 * Works in Redis; when it is away or has lost the timelines, names a new epoch instead and gives null: from that commit
 * on feeds are answered from Postgres, until remakeWhenLost has brought Redis back.
 */
async function inRedis<T>(
  { engine, installed }: Round,
  work: (epoch: string) => Promise<T>,
): Promise<T | null> {
  const epoch = await epochOf(engine.pool, installed);
  try {
    return await work(epoch);
  } catch (error) {
    if (error instanceof StaleTimelineWriter) throw new Fenced(error.message);
    engine.log.warn(
      { consumer: installed.consumer, err: error },
      'feeds come from Postgres until Redis is made again',
    );
    await engine.pool.query(
      `UPDATE ${installed.schema}.timeline_state SET epoch = gen_random_uuid() WHERE epoch = $1`,
      [epoch],
    );
    crashPoint('timelines.lost');
    return null;
  }
}

const lookEveryMs = 1_000;

/** Looks every second whether Redis still holds the timelines; the first look is before anything is applied. */
async function keepTimelinesWhole(
  engine: Engine,
  installed: Installed,
  options: TimelineOptions,
): Promise<{ trouble(): ReturnType<RunningModel['state']> | null; close(): Promise<void> }> {
  let closed = false;
  let wake: () => void = () => {};
  let trouble: ReturnType<RunningModel['state']> | null = null;
  const look = async (): Promise<void> => {
    try {
      await remakeWhenLost(engine, installed, options);
      trouble = null;
    } catch (error) {
      trouble = { state: 'retrying', reason: reasonOf(error as Error) };
      engine.log.warn({ consumer: installed.consumer, err: error }, 'timelines can not be made again yet');
    }
  };
  const looking = async (): Promise<void> => {
    while (!closed) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, lookEveryMs).unref();
      });
      if (!closed) await look();
    }
  };
  await look();
  const ended = looking();
  return {
    trouble: () => trouble,
    async close() {
      closed = true;
      wake();
      await ended;
    },
  };
}

/** Makes every timeline again when Redis does not hold the epoch that Postgres names. True when it did. */
export async function remakeWhenLost(
  engine: Engine,
  installed: Installed,
  options: TimelineOptions,
): Promise<boolean> {
  if ((await options.store.readEpoch()) === (await epochOf(engine.pool, installed))) return false;
  return withLocks(engine.pool, installed.consumer, allBuckets, async (holder) => {
    const epoch = await epochOf(engine.pool, installed);
    if ((await options.store.readEpoch()) === epoch) return false;
    const { rows } = await engine.pool.query(
      'SELECT topic, partition, generation FROM engine.position WHERE consumer = $1',
      [installed.consumer],
    );
    await options.store.raiseFences(rows.map((row) => ({ ...row, generation: BigInt(row.generation) })));
    const began = performance.now();
    const readers = await remakeAll(engine.pool, holder, installed, options, epoch);
    engine.log.info(
      { readers, seconds: (performance.now() - began) / 1_000 },
      'timelines made again from the facts',
    );
    return true;
  });
}

async function remakeAll(
  pool: Pool,
  holder: Client,
  installed: Installed,
  options: TimelineOptions,
  epoch: string,
): Promise<number> {
  const remake = await options.store.beginRemake();
  let readers = 0;
  for (let after: string | null = null; ; ) {
    const page = await readReaders(pool, installed.schema, after, readersPerPage);
    if (page.length === 0) break;
    await stillHeld(holder);
    await remake.replace(await readTimelines(pool, installed.schema, options.rules, page));
    crashPoint('timelines.remade');
    readers += page.length;
    after = page.at(-1)!;
  }
  await remake.finish(epoch);
  return readers;
}

/** Most readers whose timelines a repair makes again by themselves; for more, all are made again. */
const mostRepaired = 2_000;

/** Brings Redis to what a repair of these rows has changed; `client` has not committed them yet. */
export async function remakeReaders(
  { engine, installed, options }: Round,
  changes: readonly Change[],
  client: Client,
): Promise<void> {
  const { schema, consumer } = installed;
  const { authors, readers: own } = concernedBy(changes);
  await withLocks(engine.pool, consumer, allBuckets, async () => {
    const readers = await readersOf(client, schema, authors, own, mostRepaired + 1);
    const epoch = await epochOf(client, installed);
    const held = await options.store.readEpoch().catch(() => null);
    if (readers.length <= mostRepaired && held === epoch) {
      await options.store.rewrite(epoch, await readTimelines(client, schema, options.rules, readers));
      return;
    }
    // Too many, or Redis is away: under a new epoch feeds come from Postgres until all timelines are made again.
    await client.query(`UPDATE ${schema}.timeline_state SET epoch = gen_random_uuid()`);
  });
}

/** Names the set of timelines that is whole when Redis holds the same. */
export async function epochOf(db: Queryable, installed: Installed): Promise<string> {
  return (await db.query(`SELECT epoch FROM ${installed.schema}.timeline_state`)).rows[0].epoch;
}

const allBuckets = Array.from({ length: lockBuckets }, (_, bucket) => bucket);

function bucketsOf(touched: Touched): number[] {
  return [...new Set(touched.authors.map(lockBucket))].sort((a, b) => a - b);
}

/** Keeps the locks for as long as this process lives. Throws when they are lost: what was written since may be old. */
async function stillHeld(holder: Client): Promise<void> {
  await holder.query('SELECT');
}

/**
 * Holds the authors' locks on a connection of its own while the work commits on others. A process that is frozen
 * with them loses them after a while; what it writes to Redis afterwards is fenced. Long work says now and then that it
 * goes on (stillHeld).
 */
async function withLocks<T>(
  pool: Pool,
  consumer: string,
  buckets: readonly number[],
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  try {
    await client.query("BEGIN; SET LOCAL idle_in_transaction_session_timeout = '60s'");
    await client.query('SELECT pg_advisory_xact_lock(hashtext($1), b) FROM unnest($2::int[]) AS b', [
      consumer,
      buckets,
    ]);
    return await work(client);
  } finally {
    await client.query('ROLLBACK').catch(() => {
      broken = true;
    });
    client.release(broken);
  }
}
