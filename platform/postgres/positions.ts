import type { Pool, Queryable } from './pool.ts';

/** What a consumer holds of a partition: where to read on, and the generation under which it may write. */
export interface ClaimedPosition {
  topic: string;
  partition: number;
  position: bigint;
  generation: bigint;
  /** Whoever held it before gave it back in order; otherwise it died, or holds it still. */
  released: boolean;
}

/** One step of one partition, saved with the rows that it made. */
export interface PositionStep {
  topic: string;
  partition: number;
  generation: bigint;
  /** Where the partition stood before: a stale writer finds another value and fails. */
  from: bigint;
  to: bigint;
  /** Newest event time in it, milliseconds. */
  eventTime: number;
}

/** Somebody else has claimed the partition since: nothing of this transaction may be kept (DESIGN §2 rule 3). */
export class Fenced extends Error {
  override name = 'Fenced';
}

/** Takes partitions over: raises their generation, which fences whoever held them. New ones start as told. */
export async function claimPositions(
  pool: Queryable,
  consumer: string,
  starts: readonly { topic: string; partition: number; start: bigint }[],
): Promise<ClaimedPosition[]> {
  const { rows } = await pool.query(
    `INSERT INTO engine.position AS p (consumer, topic, partition, position, generation, released)
     SELECT $1, n.topic, n.partition, n.start, 1, false
     FROM unnest($2::text[], $3::int[], $4::bigint[]) AS n (topic, partition, start) ORDER BY 2, 3
     ON CONFLICT (consumer, topic, partition) DO UPDATE SET generation = p.generation + 1, released = false
     RETURNING topic, partition, position, generation, coalesce(old.released, true) AS released`,
    [
      consumer,
      starts.map((s) => s.topic),
      starts.map((s) => s.partition),
      starts.map((s) => s.start.toString()),
    ],
  );
  return rows.map((row) => ({
    topic: row.topic,
    partition: row.partition,
    position: BigInt(row.position),
    generation: BigInt(row.generation),
    released: row.released,
  }));
}

/** Gives partitions back in order: nobody needs to suspect what is read next of them. */
export async function releasePositions(
  pool: Queryable,
  consumer: string,
  positions: readonly Pick<ClaimedPosition, 'topic' | 'partition' | 'generation'>[],
): Promise<void> {
  await pool.query(
    `UPDATE engine.position AS p SET released = true
     FROM unnest($2::text[], $3::int[], $4::bigint[]) AS n (topic, partition, generation)
     WHERE p.consumer = $1 AND p.topic = n.topic AND p.partition = n.partition AND p.generation = n.generation`,
    [
      consumer,
      positions.map((p) => p.topic),
      positions.map((p) => p.partition),
      positions.map((p) => p.generation.toString()),
    ],
  );
}

/** Saves positions inside the caller's transaction; throws Fenced when any of them is not ours any more. */
export async function savePositions(
  client: Queryable,
  consumer: string,
  steps: readonly PositionStep[],
): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE engine.position AS p
     SET position = n.next, event_time = greatest(p.event_time, to_timestamp(n.event_time / 1000.0)), updated_at = now()
     FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
       AS n (topic, partition, generation, expected, next, event_time)
     WHERE p.consumer = $1 AND p.topic = n.topic AND p.partition = n.partition
       AND p.generation = n.generation AND p.position = n.expected`,
    [
      consumer,
      steps.map((s) => s.topic),
      steps.map((s) => s.partition),
      steps.map((s) => s.generation.toString()),
      steps.map((s) => s.from.toString()),
      steps.map((s) => s.to.toString()),
      steps.map((s) => s.eventTime),
    ],
  );
  if (rowCount !== steps.length)
    throw new Fenced(`${consumer} lost ${steps.length - (rowCount ?? 0)} partitions to another process`);
}

/** Holds the positions for this transaction without moving them; throws Fenced when any of them is not ours any more. */
export async function holdPositions(
  client: Queryable,
  consumer: string,
  steps: readonly PositionStep[],
): Promise<void> {
  const { rowCount } = await client.query(
    `SELECT FROM engine.position AS p
     JOIN unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) AS n (topic, partition, generation, expected)
       ON p.topic = n.topic AND p.partition = n.partition AND p.generation = n.generation AND p.position = n.expected
     WHERE p.consumer = $1 FOR UPDATE OF p`,
    [
      consumer,
      steps.map((s) => s.topic),
      steps.map((s) => s.partition),
      steps.map((s) => s.generation.toString()),
      steps.map((s) => s.from.toString()),
    ],
  );
  if (rowCount !== steps.length)
    throw new Fenced(`${consumer} lost ${steps.length - (rowCount ?? 0)} partitions to another process`);
}

/** The channel on which commits are announced. */
export const positionChannel = 'emulsion_positions';

/** What an announcement says: the positions that one consumer has reached. */
export interface Announcement {
  consumer: string;
  /** topic, partition, next offset, and the time up to which it is complete, in milliseconds */
  positions: [string, number, number, number][];
  /** It has parked something: who asks for a position must look whether it is that. */
  parked?: true;
}

/** Everything appended before `at` (milliseconds) is applied up to this position. */
export interface FreshPosition {
  topic: string;
  partition: number;
  position: bigint;
  at: number;
}

export interface Announcer {
  committed(consumer: string, steps: readonly PositionStep[]): void;
  /** The same for partitions to which nothing new has come. */
  fresh(consumer: string, positions: readonly FreshPosition[]): void;
}

const announceEveryMs = 4;
/** Positions of one notification: Postgres takes less than 8,000 bytes, and one of them is at most about 70. */
const maxAnnounced = 100;

/** Tells waiting readers of commits, one notification per few milliseconds however many commits there were. */
export function createAnnouncer(pool: Pool): Announcer {
  const pending = new Map<string, Map<string, [string, number, number, number]>>();
  let waiting = false;
  const flush = async (): Promise<void> => {
    waiting = false;
    const payloads = [...pending].flatMap(([consumer, positions]) =>
      slicesOf([...positions.values()]).map((slice) =>
        JSON.stringify({ consumer, positions: slice } satisfies Announcement),
      ),
    );
    pending.clear();
    // A lost announcement only delays: readers that wait look for themselves every quarter of a second.
    await pool
      .query('SELECT pg_notify($1, p) FROM unnest($2::text[]) p', [positionChannel, payloads])
      .catch(() => {});
  };
  const add = (consumer: string, positions: readonly FreshPosition[]): void => {
    const known = pending.get(consumer) ?? new Map();
    for (const { topic, partition, position, at } of positions) {
      known.set(`${topic}/${partition}`, [topic, partition, Number(position), at]);
    }
    pending.set(consumer, known);
    if (waiting) return;
    waiting = true;
    setTimeout(flush, announceEveryMs);
  };
  return {
    committed: (consumer, steps) =>
      add(
        consumer,
        steps.map(({ topic, partition, to, eventTime }) => ({
          topic,
          partition,
          position: to,
          at: eventTime,
        })),
      ),
    fresh: add,
  };
}

function slicesOf<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / maxAnnounced);
  return Array.from({ length: count }, (_, n) => all.slice(n * maxAnnounced, (n + 1) * maxAnnounced));
}
