import type { FreshPosition } from '../postgres/positions.ts';
import type { HeldPosition } from './consumer.ts';

/** The next offset to be written, per topic and partition. */
export type Heads = ReadonlyMap<string, readonly bigint[]>;

export interface PartitionLag {
  topic: string;
  partition: number;
  position: bigint;
  /** null until a head was read. */
  head: bigint | null;
  /** Everything appended before is applied, milliseconds; null until a look at the head was caught up with. */
  fresh: number | null;
}

export interface ConsumerLag {
  partitions: readonly PartitionLag[];
  /** Records that passed in the last ten seconds or so. */
  perSecond: number;
  /** The partition that has not moved for longest though there is more to apply, when that is too long. */
  stalled: { topic: string; partition: number; seconds: number } | null;
}

export interface LagTracker {
  /**
   * Takes where a consumer stands now and what the heads are (null when they can't be read). Gives the partitions of
   * which something new is known to be complete.
   */
  observe(consumer: string, held: readonly HeldPosition[], heads: Heads | null, at: number): FreshPosition[];
  of(consumer: string): ConsumerLag | undefined;
  /** Forgets consumers that are not run any more. */
  keepOnly(consumers: readonly string[]): void;
}

/** Behind and without progress for so long is stalled. */
export const stalledAfterMs = 15_000;
const rateOverMs = 10_000;

interface Followed extends PartitionLag {
  /** A look at the head that the position has not passed yet: once it has, everything from before it is applied. */
  look: { head: bigint; at: number } | null;
  /** When it last moved or had nothing to do. */
  moved: number;
}

interface FollowedConsumer {
  partitions: Map<string, Followed>;
  /** How many records had passed at which moment. */
  passed: { at: number; records: number }[];
  at: number;
}

/**
 * Keeps how far the consumers of a process are, how fast, and how fresh: a position at the head that was read at some
 * moment has everything from before it. Without this a quiet day would look like lag (X-As-Of, DESIGN §5).
 */
export function createLagTracker(): LagTracker {
  const consumers = new Map<string, FollowedConsumer>();
  return {
    observe(consumer, held, heads, at) {
      const before = consumers.get(consumer);
      const partitions = new Map<string, Followed>();
      for (const position of held) {
        const id = `${position.topic}/${position.partition}`;
        partitions.set(id, follow(before?.partitions.get(id), position, heads, at));
      }
      const passed = counted(before, partitions, at);
      consumers.set(consumer, { partitions, passed, at });
      return [...partitions].flatMap(([id, now]) => freshened(before?.partitions.get(id), now));
    },
    of(consumer) {
      const followed = consumers.get(consumer);
      return followed && summary(followed);
    },
    keepOnly(names) {
      for (const name of consumers.keys()) if (!names.includes(name)) consumers.delete(name);
    },
  };
}

function follow(
  before: Followed | undefined,
  { topic, partition, position }: HeldPosition,
  heads: Heads | null,
  at: number,
): Followed {
  const read = heads?.get(topic)?.[partition];
  const head = read ?? before?.head ?? null;
  const moved = !before || position !== before.position || (head !== null && position >= head);
  return {
    topic,
    partition,
    position,
    head,
    ...looked(before, position, read, at),
    moved: moved ? at : before.moved,
  };
}

/** The newest look that this position has passed; the one that it has not is kept for later. */
function looked(
  before: Followed | undefined,
  position: bigint,
  read: bigint | undefined,
  at: number,
): Pick<Followed, 'look' | 'fresh'> {
  if (read !== undefined && position >= read) return { look: null, fresh: at };
  const { look, fresh } = before ?? { look: null, fresh: null };
  if (look && position < look.head) return { look, fresh };
  return { look: read === undefined ? null : { head: read, at }, fresh: look?.at ?? fresh };
}

function freshened(before: Followed | undefined, now: Followed): FreshPosition[] {
  if (now.fresh === null || now.fresh === before?.fresh) return [];
  const { topic, partition, position, fresh } = now;
  return [{ topic, partition, position, at: fresh }];
}

/** Only what was held before and still is has passed here: a partition that is taken over has moved elsewhere. */
function counted(
  before: FollowedConsumer | undefined,
  now: Map<string, Followed>,
  at: number,
): FollowedConsumer['passed'] {
  const samples = before?.passed ?? [];
  let records = samples.at(-1)?.records ?? 0;
  for (const [id, { position }] of now) {
    const was = before?.partitions.get(id)?.position ?? position;
    if (position > was) records += Number(position - was);
  }
  const recent = samples.filter((sample) => at - sample.at <= rateOverMs);
  return [...recent, { at, records }];
}

function summary({ partitions, passed, at }: FollowedConsumer): ConsumerLag {
  const first = passed[0]!;
  const last = passed.at(-1)!;
  const seconds = (last.at - first.at) / 1_000;
  return {
    partitions: [...partitions.values()],
    perSecond: seconds > 0 ? (last.records - first.records) / seconds : 0,
    stalled: longestStall([...partitions.values()], at),
  };
}

function longestStall(partitions: readonly Followed[], at: number): ConsumerLag['stalled'] {
  const stalled = partitions
    .filter(({ head, position, moved }) => head !== null && position < head && at - moved > stalledAfterMs)
    .sort((a, b) => a.moved - b.moved);
  const longest = stalled[0];
  if (!longest) return null;
  const { topic, partition, moved } = longest;
  return { topic, partition, seconds: (at - moved) / 1_000 };
}

/** What is known of one partition, wherever it was read. Times in milliseconds. */
export interface Standing {
  position: bigint;
  head: bigint | null;
  /** Everything appended before is applied. */
  fresh: number | null;
  /** Newest event time applied. */
  eventTime: number | null;
}

export function recordsBehind({ position, head }: Pick<Standing, 'position' | 'head'>): number | null {
  if (head === null) return null;
  return position >= head ? 0 : Number(head - position);
}

/** How old the newest moment is from before which everything is applied; null when nothing is known of it. */
export function secondsBehind(standing: Standing, now: number): number | null {
  if (recordsBehind(standing) === 0) return 0;
  const until = Math.max(standing.fresh ?? 0, standing.eventTime ?? 0);
  return until === 0 ? null : Math.max(0, (now - until) / 1_000);
}
