import type { Appender } from '../../platform/log/appender.ts';
import type { Position } from '../../platform/log/position.ts';
import { type Pool, sqlState, transaction } from '../../platform/postgres/pool.ts';
import { crashPoint } from '../../platform/process/crash-points.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import { problem } from '../guards/problem.ts';
import { anyWaiting, findRelayed, lockRelay, markRelayed, type OutboxRow, readWaiting } from './outbox.ts';

/**
 * Brings the events of guarded commands from the outbox to the log, in order of each key, at least once (DESIGN §4).
 * There is no lease: whoever holds the advisory lock reads what waits, appends it, and marks it in that same
 * transaction.
 * - Killed before the append: the connection dies, the lock is free, the next sweep of any process appends.
 * - Killed between append and mark: the row is appended again with the same event id; consumers take it once.
 * - Frozen without the lock (between claim and relay): others relay its row, and it finds the row relayed.
 * - Frozen with the lock: others wait, answer outcome_unknown, and go on when it does.
 */
export interface Relay {
  /** Where the event is in the log, once it is there. Throws outcome_unknown when that takes too long. */
  delivered(eventId: string): Promise<Position>;
  close(): Promise<void>;
}

export interface RelayOptions {
  pool: Pool;
  appender: Appender;
  log: Logger;
}

/** Milliseconds a request waits for its row. */
const deliveryLimitMs = 5_000;
/** Milliseconds between two looks for rows that nobody waits for. */
const sweepEveryMs = 1_000;
/** Milliseconds between rounds while somebody waits for a row that this process could not relay. */
const againAfterMs = 50;
/** SQLSTATE: the lock was not to be had within lock_timeout. */
const lockNotAvailable = '55P03';

export function openRelay(options: RelayOptions): Relay {
  const waiters = openWaiters();
  let running: Promise<void> | null = null;
  let closed = false;

  const wake = (): void => {
    if (!closed) running ??= rounds();
  };
  const rounds = async (): Promise<void> => {
    do {
      const relayed = await roundOrLog(options);
      if (relayed.length > 0) crashPoint('relay.marked');
      for (const [row, position] of relayed) waiters.settle(row.eventId, position);
      if (waiters.size() > 0) await settleOthers(options, waiters);
      if (waiters.size() > 0 && relayed.length === 0) await pause(againAfterMs);
    } while (waiters.size() > 0 && !closed);
    running = null;
  };
  const sweep = setInterval(() => {
    anyWaiting(options.pool).then(
      (any) => any && wake(),
      (error) => options.log.warn({ err: error }, 'the outbox could not be looked at'),
    );
  }, sweepEveryMs);
  wake();

  return {
    delivered(eventId) {
      const position = waiters.add(eventId);
      wake();
      return position;
    },
    async close() {
      closed = true;
      clearInterval(sweep);
      await running;
    },
  };
}

interface Waiters {
  add(eventId: string): Promise<Position>;
  settle(eventId: string, position: Position): void;
  eventIds(): string[];
  size(): number;
}

/** The requests that wait, each for a bounded time; more than one may wait for the same event. */
function openWaiters(): Waiters {
  const waiting = new Map<string, Set<(position: Position) => void>>();
  return {
    add: (eventId) =>
      new Promise((resolve, reject) => {
        const those = waiting.get(eventId) ?? new Set();
        waiting.set(eventId, those.add(settle));
        const timer = setTimeout(() => {
          those.delete(settle);
          if (those.size === 0 && waiting.get(eventId) === those) waiting.delete(eventId);
          reject(problem('outcome_unknown', 'Repeat the request with the same Idempotency-Key.'));
        }, deliveryLimitMs);
        function settle(position: Position): void {
          clearTimeout(timer);
          resolve(position);
        }
      }),
    settle(eventId, position) {
      for (const settle of waiting.get(eventId) ?? []) settle(position);
      waiting.delete(eventId);
    },
    eventIds: () => [...waiting.keys()],
    size: () => waiting.size,
  };
}

/** Lock, read, append, mark; what this round brought to the log. */
async function round({ pool, appender, log }: RelayOptions): Promise<[OutboxRow, Position][]> {
  return transaction(pool, async (client) => {
    await lockRelay(client);
    const rows = await readWaiting(client);
    if (rows.length === 0) return [];
    crashPoint('relay.before-append');
    const relayed = await appendInOrder(rows, appender, log);
    crashPoint('relay.between-append-and-mark');
    if (relayed.length > 0) await markRelayed(client, relayed);
    return relayed;
  });
}

async function roundOrLog(options: RelayOptions): Promise<[OutboxRow, Position][]> {
  try {
    return await round(options);
  } catch (error) {
    if (sqlState(error) === lockNotAvailable) options.log.debug('another process relays the outbox');
    else options.log.warn({ err: error }, 'a round of the outbox relay failed, it is tried again');
    return [];
  }
}

/** Keys side by side, the events of one key one after the other: a failed one holds back those behind it. */
async function appendInOrder(
  rows: OutboxRow[],
  appender: Appender,
  log: Logger,
): Promise<[OutboxRow, Position][]> {
  const relayed: [OutboxRow, Position][] = [];
  const appendChain = async (chain: OutboxRow[]): Promise<void> => {
    for (const row of chain) relayed.push([row, await appender.append(row.record)]);
  };
  const chains = Map.groupBy(rows, (row) => `${row.record.topic} ${row.record.key}`);
  const outcomes = await Promise.allSettled([...chains.values()].map(appendChain));
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected')
      log.warn({ err: outcome.reason }, 'an outbox row could not be appended');
  }
  return relayed;
}

/** What another process relayed for those who wait here. */
async function settleOthers({ pool, log }: RelayOptions, waiters: Waiters): Promise<void> {
  try {
    const relayed = await findRelayed(pool, waiters.eventIds());
    for (const [eventId, position] of relayed) waiters.settle(eventId, position);
  } catch (error) {
    log.warn({ err: error }, 'the outbox could not be read');
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
