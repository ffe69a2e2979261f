import { sqlState } from '../postgres/pool.ts';
import { type ClaimedPosition, Fenced } from '../postgres/positions.ts';
import type { Logger } from '../telemetry/logger.ts';
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
}

export interface IntakeOptions {
  consumer: string;
  log: Logger;
  maxRecords?: number;
  handle(batches: readonly PartitionBatch[]): Promise<void>;
  fatal?(error: unknown): boolean;
  /** What keeps a round from being applied, each time that it is tried again; null once it is. */
  troubled?(error: Error | null): void;
  closed(): boolean;
}

interface Waiting {
  position: ClaimedPosition;
  records: LogRecord[];
  taken: number;
  resolve(): void;
  reject(error: Error): void;
}

const defaultMaxRecords = 10_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/**
 * Puts what all partitions have brought into one call of `handle` at a time: larger transactions, and no two of
 * them of one process in each other's way. Bounded by the fetches that kafkajs has under way, one a partition.
 */
export function openIntake(options: IntakeOptions) {
  const waiting: Waiting[] = [];
  let working = false;

  const work = async (): Promise<void> => {
    // Fetches of one answer arrive within the same turn of the event loop: let them all come in first.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await round();
  };

  const round = async (): Promise<void> => {
    const taken = takeRound(waiting, options.maxRecords ?? defaultMaxRecords);
    try {
      await handlePersistently(
        options,
        taken.map(({ batch }) => batch),
      );
    } catch (error) {
      for (const item of waiting.splice(0)) item.reject(error as Error);
      return;
    }
    for (const { item, batch } of taken) {
      item.position.position = batch.nextOffset;
      if (item.taken < item.records.length) continue;
      waiting.splice(waiting.indexOf(item), 1);
      item.resolve();
    }
  };

  return {
    /** Resolves when these records are applied and their position is saved. */
    take(position: ClaimedPosition, records: LogRecord[]): Promise<void> {
      return new Promise((resolve, reject) => {
        waiting.push({ position, records, taken: 0, resolve, reject });
        if (working) return;
        working = true;
        work().finally(() => {
          working = false;
        });
      });
    },
  };
}

function takeRound(waiting: Waiting[], maxRecords: number): { item: Waiting; batch: PartitionBatch }[] {
  const taken: { item: Waiting; batch: PartitionBatch }[] = [];
  let room = maxRecords;
  for (const item of waiting) {
    if (room === 0) break;
    const records = item.records.slice(item.taken, item.taken + room);
    item.taken += records.length;
    room -= records.length;
    const { topic, partition, generation, position } = item.position;
    const nextOffset = records.at(-1)!.offset + 1n;
    taken.push({ item, batch: { topic, partition, generation, firstOffset: position, nextOffset, records } });
  }
  return taken;
}

/** An outage is retried for as long as it lasts; a lost partition or our own corruption ends the membership. */
async function handlePersistently(options: IntakeOptions, batches: PartitionBatch[]): Promise<void> {
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
    if (options.closed()) throw new Error('the consumer is closing');
    try {
      await options.handle(batches);
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
