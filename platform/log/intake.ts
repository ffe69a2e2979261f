import { sqlState } from '../postgres/pool.ts';
import { type ClaimedPosition, Fenced } from '../postgres/positions.ts';
import { applyAlone, type Careful, type CarefulOptions, isKiller, parkKiller } from './careful.ts';
import type { LogRecord } from './record.ts';

export type { LogRecord } from './record.ts';

/** Records of one partition in a row, from firstOffset up to before nextOffset. */
export interface PartitionBatch {
  topic: string;
  partition: number;
  generation: bigint;
  firstOffset: bigint;
  nextOffset: bigint;
  records: LogRecord[];
  /**
   * Parked records that are tried again, in their order; all from before firstOffset, which is nextOffset too. What
   * comes through is taken out of engine.parked with the position that fences it (settleLetters).
   */
  unparking?: true;
}

export interface IntakeOptions extends CarefulOptions {
  maxRecords?: number;
  handle(batches: readonly PartitionBatch[]): Promise<void>;
  /** Told of a full round that waits for the one before it: the same batches come to `handle`, unless that one fails. */
  ready?(batches: readonly PartitionBatch[]): void;
  fatal?(error: unknown): boolean;
  /** What keeps a round from being applied, each time that it is tried again; null once it is. */
  troubled?(error: Error | null): void;
  closed(): boolean;
  paused?(): boolean;
}

/** A partition as this process holds it. */
export interface HeldPartition extends ClaimedPosition {
  /** The next offset that is not read yet: what lies between it and the position waits to be applied. */
  fetched: bigint;
  /** null unless its last holder died. */
  careful: Careful | null;
}

/** An operator has halted this consumer: what was not applied is fetched again when it goes on. */
export class Paused extends Error {
  override name = 'Paused';
}

interface Waiting {
  position: HeldPartition;
  records: LogRecord[];
  unparking: boolean;
  /** How many of the records are in a round, or were. */
  taken: number;
  /** How many are applied. */
  done: number;
  room: PromiseWithResolvers<void>;
  applied: PromiseWithResolvers<void>;
}

/** What becomes of records that were handed in; both reject when they are not applied. */
export interface Entered {
  /** Resolves when more may be read: while one round is applied, about the next one waits. */
  room: Promise<void>;
  /** Resolves when they are applied and their position is saved. */
  applied: Promise<void>;
}

interface Taken {
  item: Waiting;
  batch: PartitionBatch;
}

export const defaultMaxRecords = 20_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/**
 * Puts what all partitions have brought into one call of `handle` at a time: larger transactions, and no two of
 * them of one process in each other's way. Reading goes on meanwhile; no more than a round waits besides one fetch.
 */
export function openIntake(options: IntakeOptions) {
  const waiting: Waiting[] = [];
  let working: Promise<void> | null = null;
  /** The round that is being applied, and the next one, once it is full. */
  let current: Taken[] = [];
  let next: Taken[] | null = null;
  const maxRecords = options.maxRecords ?? defaultMaxRecords;

  const work = async (): Promise<void> => {
    // Fetches of one answer arrive within the same turn of the event loop: let them all come in first.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await round();
    // In the same turn as the look above, so that whoever comes next begins anew.
    working = null;
  };

  const round = async (): Promise<void> => {
    current = next ?? takeRound(waiting, maxRecords, []);
    next = null;
    makeRoom();
    takeNext();
    try {
      await persistently(options, () => apply(options, current));
    } catch (error) {
      current = [];
      next = null;
      for (const { room, applied } of waiting.splice(0)) {
        room.reject(error as Error);
        applied.reject(error as Error);
      }
      return;
    }
    for (const { item, batch } of current.splice(0)) {
      advance(item.position, batch);
      item.done += batch.records.length;
      if (item.done < item.records.length) continue;
      waiting.splice(waiting.indexOf(item), 1);
      item.room.resolve();
      item.applied.resolve();
    }
  };

  /** Takes the next round while one is applied, so that it can be made ready: when it is full, and nobody must be alone. */
  const takeNext = (): void => {
    if (!options.ready || next || current.length === 0 || waiting.some(isLone)) return;
    if (untaken(waiting) < maxRecords) return;
    next = takeRound(waiting, maxRecords, current);
    options.ready(next.map(({ batch }) => batch));
  };

  const makeRoom = (): void => {
    if (untaken(waiting) > maxRecords) return;
    // What must be alone is read no further either, until it has come through.
    for (const item of waiting) if (!isLone(item)) item.room.resolve();
  };

  const enter = (position: HeldPartition, records: LogRecord[], unparking: boolean): Entered => {
    const room = Promise.withResolvers<void>();
    const applied = Promise.withResolvers<void>();
    // Who waits for one of them hears of the failure.
    for (const { promise } of [room, applied]) promise.catch(() => {});
    waiting.push({ position, records, unparking, taken: 0, done: 0, room, applied });
    working ??= work();
    takeNext();
    return { room: room.promise, applied: applied.promise };
  };

  return {
    take: (position: HeldPartition, records: LogRecord[]) => enter(position, records, false),
    /** Resolves when these parked records were tried again. */
    unpark: (position: HeldPartition, letters: LogRecord[]) => enter(position, letters, true).applied,
    /** Resolves when no round is under way. */
    async idle(): Promise<void> {
      while (working) await working;
    },
  };
}

/** Records that are in no round yet. */
function untaken(waiting: readonly Waiting[]): number {
  return waiting.reduce((sum, { records, taken }) => sum + records.length - taken, 0);
}

/**
 * What the next round takes: one item that must be alone, or as much as there is room for of all the others, each
 * partition from where `before` leaves it, the round that is being applied.
 */
function takeRound(waiting: readonly Waiting[], maxRecords: number, before: readonly Taken[]): Taken[] {
  const open = waiting.filter((item) => item.unparking || item.taken < item.records.length);
  const first = open[0]!;
  if (isLone(first)) return [takeFrom(first, first.position.careful?.step ?? maxRecords)];
  const left = new Map(before.map(({ item, batch }) => [item.position, batch.nextOffset]));
  const taken: Taken[] = [];
  const partitions = new Set<HeldPartition>();
  let room = maxRecords;
  for (const item of open) {
    if (room === 0) break;
    // One batch of a partition at a time: the next one begins where this one ends.
    if (isLone(item) || partitions.has(item.position)) continue;
    partitions.add(item.position);
    taken.push(takeFrom(item, room, left.get(item.position)));
    room -= taken.at(-1)!.batch.records.length;
  }
  return taken;
}

function isLone({ unparking, position }: Waiting): boolean {
  return unparking || position.careful !== null;
}

function takeFrom(item: Waiting, room: number, firstOffset = item.position.position): Taken {
  const { topic, partition, generation } = item.position;
  const place = { topic, partition, generation, firstOffset };
  if (item.unparking) {
    item.taken = item.records.length;
    return { item, batch: { ...place, nextOffset: firstOffset, records: item.records, unparking: true } };
  }
  const records = item.records.slice(item.taken, item.taken + room);
  item.taken += records.length;
  return { item, batch: { ...place, nextOffset: records.at(-1)!.offset + 1n, records } };
}

/** Beside the rounds of other consumers of this process, or alone when a death may come of it. */
function apply(options: IntakeOptions, taken: readonly Taken[]): Promise<void> {
  const batches = taken.map(({ batch }) => batch);
  const { item, batch } = taken[0]!;
  const { careful } = item.position;
  const handle = (): Promise<void> => options.handle(batches);
  if (item.unparking) return applyAlone(options, batch, 0, handle);
  if (!careful) return options.gate.shared(handle);
  if (isKiller(careful)) return parkKiller(options, item.position, batch.records[0]!, careful);
  return applyAlone(options, batch, careful.deaths, handle);
}

function advance(position: HeldPartition, batch: PartitionBatch): void {
  position.position = batch.nextOffset;
  if (batch.unparking || !position.careful) return;
  position.careful = batch.nextOffset < position.careful.until ? { ...position.careful, deaths: 0 } : null;
}

/** An outage is retried for as long as it lasts; a lost partition or our own corruption ends the membership. */
async function persistently(options: IntakeOptions, attempt: () => Promise<void>): Promise<void> {
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
    if (options.closed()) throw new Error('the consumer is closing');
    if (options.paused?.()) throw new Paused(`${options.consumer} is paused`);
    try {
      await attempt();
      if (pause > firstPauseMs) options.troubled?.(null);
      return;
    } catch (error) {
      if (error instanceof Fenced || options.fatal?.(error)) throw error;
      options.troubled?.(error as Error);
      options.log.warn(
        { consumer: options.consumer, err: error, sqlState: sqlState(error), pauseMs: pause },
        'batch is tried again',
      );
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
