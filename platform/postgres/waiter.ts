import { ProblemError } from '../errors/problem.ts';
import { listen } from './listen.ts';
import { readPauses } from './pauses.ts';
import type { Pool } from './pool.ts';
import { type Announcement, positionChannel } from './positions.ts';
import { modelOf } from './serving.ts';

/** A consumer to wait for, and the topics it takes: positions of other topics do not concern it. */
export interface WaitTarget {
  consumer: string;
  topics: readonly string[];
}

export interface Waiter {
  /**
   * Resolves when every target has passed every position of its topics. Throws position_timeout when late, and at once
   * when that waits for a paused model; key_parked when a record asked for is parked.
   */
  wait(targets: readonly WaitTarget[], positions: readonly WaitPosition[], timeoutMs?: number): Promise<void>;
  /** The same, whatever became of the records there: a parked one is passed, too. */
  passed(
    targets: readonly WaitTarget[],
    positions: readonly WaitPosition[],
    timeoutMs?: number,
  ): Promise<void>;
  /** How often the consumer was heard to have moved: what was read at the same count is what its tables say now. */
  moves(consumer: string): number;
  /** Up to when everything of the consumer's partitions is applied, milliseconds; 0 when nothing is known. */
  asOf(consumer: string): number;
  close(): Promise<void>;
}

export interface WaitPosition {
  topic: string;
  partition: number;
  offset: bigint;
}

interface Pending {
  targets: readonly WaitTarget[];
  positions: readonly WaitPosition[];
  resolve(): void;
  reject(error: Error): void;
}

/** Waiting requests at once; beyond it a reader is told to come again. */
const maxPending = 5_000;
const lookAgainMs = 250;

/** Follows the projectors' commits by their announcements, and by a look of its own while somebody waits. */
export function openWaiter(databaseUrl: string, pool: Pool): Waiter {
  const reached = new Map<string, bigint>();
  const moves = new Map<string, number>();
  /** By consumer, then partition: the least of them is what the consumer as a whole has. */
  const freshUntil = new Map<string, Map<string, number>>();
  /** That least, by consumer, until one of its partitions moves. */
  const least = new Map<string, number>();
  const pending = new Set<Pending>();
  /** Whether anything may be parked: true until a look has said that nothing is. */
  let parked = true;
  /** Parkings heard of, or perhaps missed: a look that began before one does not know it. */
  let parkings = 0;
  let paused: ReadonlySet<string> = new Set();

  const note = (consumer: string, topic: string, partition: number, next: bigint, time: number): void => {
    const id = `${consumer} ${topic}/${partition}`;
    const known = reached.get(id);
    if (known === undefined || known < next) {
      reached.set(id, next);
      moves.set(consumer, (moves.get(consumer) ?? 0) + 1);
    }
    if (time === 0) return;
    const times = freshUntil.get(consumer) ?? new Map<string, number>();
    freshUntil.set(consumer, times);
    least.delete(consumer);
    times.set(`${topic}/${partition}`, Math.max(time, times.get(`${topic}/${partition}`) ?? 0));
  };
  const behind = (item: Pick<Pending, 'targets' | 'positions'>): WaitTarget[] =>
    item.targets.filter((target) =>
      item.positions.some(
        (p) =>
          target.topics.includes(p.topic) &&
          (reached.get(`${target.consumer} ${p.topic}/${p.partition}`) ?? 0n) <= p.offset,
      ),
    );
  const haltedFor = (targets: readonly WaitTarget[]): string | undefined =>
    targets.map(({ consumer }) => modelOf(consumer)).find((model) => paused.has(model));
  const wake = (): void => {
    for (const item of pending) {
      const open = behind(item);
      const halted = haltedFor(open);
      if (open.length === 0) item.resolve();
      else if (halted) item.reject(halt(halted));
    }
  };
  const forgetGone = (consumers: ReadonlySet<string>): void => {
    for (const id of reached.keys()) if (!consumers.has(id.slice(0, id.indexOf(' ')))) reached.delete(id);
    for (const map of [freshUntil, moves, least])
      for (const consumer of map.keys()) if (!consumers.has(consumer)) map.delete(consumer);
  };
  const lookAtAll = async (): Promise<void> => {
    const { rows } = await pool.query(
      `SELECT consumer, topic, partition, position, coalesce(extract(epoch FROM event_time) * 1000, 0)::bigint AS event_time
       FROM engine.position`,
    );
    const halted = await readPauses(pool);
    const heard = parkings;
    const { any } = (await pool.query('SELECT EXISTS (SELECT FROM engine.parked) AS any')).rows[0];
    // Only now, in one step: whoever saw these positions before would not know what was parked with them.
    forgetGone(new Set(rows.map((row) => row.consumer)));
    for (const row of rows)
      note(row.consumer, row.topic, row.partition, BigInt(row.position), row.event_time);
    paused = halted;
    parked = any || parkings !== heard;
    wake();
  };
  let looking = false;
  /** One at a time: an older one that ends later would undo what a newer one knows. */
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    await lookAtAll().catch(() => {});
    looking = false;
  };
  const listener = listen(databaseUrl, {
    name: 'waiter',
    channels: {
      [positionChannel]: (payload) => {
        const said = JSON.parse(payload) as Announcement;
        for (const [topic, partition, next, time] of said.positions)
          note(said.consumer, topic, partition, BigInt(next), time);
        if (said.parked) parkings += 1;
        parked ||= said.parked === true;
        wake();
      },
    },
    connected() {
      // What was parked while nobody listened was not heard.
      parkings += 1;
      parked = true;
      void look();
    },
  });
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    // Idle processes look once a second, so that X-As-Of and parked keys are known without anybody waiting.
    if (pending.size > 0 || looks % 4 === 0) void look();
  }, lookAgainMs);
  timer.unref();

  const passed: Waiter['passed'] = async (targets, positions, timeoutMs = 2_000) => {
    if (positions.length === 0 || targets.length === 0) return;
    const open = behind({ targets, positions });
    if (open.length === 0) return;
    const halted = haltedFor(open);
    if (halted) throw halt(halted);
    if (pending.size >= maxPending) throw late();
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(() => item.reject(late()), timeoutMs);
      const ended = (): void => {
        clearTimeout(limit);
        pending.delete(item);
      };
      const item: Pending = {
        targets,
        positions,
        resolve() {
          ended();
          resolve();
        },
        reject(error) {
          ended();
          reject(error);
        },
      };
      pending.add(item);
    });
  };

  return {
    passed,
    async wait(targets, positions, timeoutMs) {
      const waits = behind({ targets, positions }).length > 0;
      // What is parked already is told at once, whatever else is behind.
      if (parked) await refuseParked(pool, targets, positions);
      if (!waits) return;
      await passed(targets, positions, timeoutMs);
      if (parked) await refuseParked(pool, targets, positions);
    },
    moves: (consumer) => moves.get(consumer) ?? 0,
    asOf(consumer) {
      const known = least.get(consumer);
      if (known !== undefined) return known;
      const times = freshUntil.get(consumer);
      if (!times) return 0;
      const oldest = Math.min(...times.values());
      least.set(consumer, oldest);
      return oldest;
    },
    async close() {
      clearInterval(timer);
      await listener.close();
    },
  };
}

async function refuseParked(
  pool: Pool,
  targets: readonly WaitTarget[],
  positions: readonly WaitPosition[],
): Promise<void> {
  if (positions.length === 0) return;
  const { rows } = await pool.query(
    `SELECT p.consumer FROM engine.parked p
     JOIN unnest($2::text[], $3::int[], $4::bigint[]) AS n (topic, partition, at)
       ON p.topic = n.topic AND p.partition = n.partition AND p."offset" = n.at
     WHERE p.consumer = ANY($1) LIMIT 1`,
    [
      targets.map((t) => t.consumer),
      positions.map((p) => p.topic),
      positions.map((p) => p.partition),
      positions.map((p) => p.offset.toString()),
    ],
  );
  if (rows.length === 0) return;
  throw new ProblemError({
    code: 'key_parked',
    status: 503,
    title: 'A record of this key is parked; an operator is needed',
    detail: `${rows[0].consumer} has parked the record that this read was to reflect.`,
  });
}

function late(): ProblemError {
  return new ProblemError({
    code: 'position_timeout',
    status: 503,
    title: 'The views have not caught up with your position yet',
    detail: 'Repeat the request, or leave X-Min-Position out to read what is there.',
  });
}

function halt(model: string): ProblemError {
  return new ProblemError({
    code: 'position_timeout',
    status: 503,
    title: 'The views have not caught up with your position yet',
    detail: `The model ${model} is paused by an operator. Repeat the request later, or leave X-Min-Position out.`,
  });
}
