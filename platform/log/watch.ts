import { hostname } from 'node:os';
import { v7 } from 'uuid';
import { leaveMembers, readEventTimes, reportMembers } from '../postgres/members.ts';
import { createPool, type Queryable } from '../postgres/pool.ts';
import type { FreshPosition } from '../postgres/positions.ts';
import { repeat } from '../process/repeat.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createProjectionMetrics } from '../telemetry/projections.ts';
import type { Kafka } from './kafka.ts';
import { createLagTracker, type LagTracker } from './lag.ts';
import { type EventTimes, figuresOf, memberReport, troubleOf, type WatchedConsumer } from './standing.ts';
import { openHeads } from './topics.ts';

export interface WatchOptions {
  kafka: Kafka;
  prefix: string;
  topics: readonly string[];
  log: Logger;
  metrics: Metrics;
  databaseUrl: string;
  /** What operators know this process by: projectors, reactors, media-pipeline. */
  process: string;
  /** What runs now; asked for again each time, since builds come and go. */
  consumers(): readonly WatchedConsumer[];
  /** Told each second of what is known to be complete. */
  fresh?(consumer: string, positions: readonly FreshPosition[]): void;
  /** Further work of each report. */
  alsoReport?: ((db: Queryable) => Promise<void>) | undefined;
}

export interface Watch {
  /** What keeps a consumer from being well, in words; null when nothing does. */
  troubleOf(consumer: WatchedConsumer): string | null;
  /** Once the consumers have ended: takes this process out of engine.member. */
  close(): Promise<void>;
}

const lookEveryMs = 1_000;
const reportEveryMs = 2_000;

/**
 * Watches the consumers of a process for the life of it: how far the heads of the log are (each second), and what
 * operators and Prometheus are told (every other second).
 */
export async function watchConsumers(options: WatchOptions): Promise<Watch> {
  const tracker = createLagTracker();
  const looking = await lookAtHeads(options, tracker);
  const reporting = report(options, tracker);
  return {
    troubleOf: (consumer) => troubleOf(consumer, tracker, reporting.eventTimes()),
    async close() {
      await looking.close();
      await reporting.close();
    },
  };
}

async function lookAtHeads(
  { kafka, prefix, topics, log, consumers, fresh }: WatchOptions,
  tracker: LagTracker,
): Promise<{ close(): Promise<void> }> {
  const heads = await openHeads(kafka, prefix, topics);
  const looks = repeat(lookEveryMs, async () => {
    const at = Date.now();
    const read = await heads.read().catch((error: Error) => {
      log.debug({ err: error }, 'the heads of the log could not be read');
      return null;
    });
    const running = consumers();
    tracker.keepOnly(running.map(({ consumer }) => consumer));
    for (const { consumer, held } of running) {
      const known = tracker.observe(consumer, held(), read, at);
      if (known.length > 0) fresh?.(consumer, known);
    }
  });
  return {
    async close() {
      await looks.stop();
      await heads.close().catch(() => {});
    },
  };
}

/** On a connection of its own: rounds may hold all others for as long as they take. */
function report(options: WatchOptions, tracker: LagTracker) {
  const { log, consumers } = options;
  const member = v7();
  const name = `${options.process} ${hostname()}:${process.pid}`;
  const db = createPool(options.databaseUrl, {
    name: `${options.process}-watch`,
    max: 1,
    statementTimeoutMs: 5_000,
  });
  const metrics = createProjectionMetrics(options.metrics);
  let eventTimes: EventTimes = new Map();
  const once = async (): Promise<void> => {
    const reports = consumers().map((consumer) => memberReport(consumer, tracker));
    metrics.show(reports.map((one) => figuresOf(one, tracker, eventTimes)));
    await reportMembers(db, member, name, reports);
    const names = reports.map(({ consumer }) => consumer);
    eventTimes = await readEventTimes(db, names);
    await options.alsoReport?.(db);
  };
  const reports = repeat(reportEveryMs, () =>
    once().catch((error) => log.debug({ err: error }, 'what runs here could not be reported')),
  );
  return {
    eventTimes: () => eventTimes,
    async close() {
      await reports.stop();
      await leaveMembers(db, member).catch(() => {});
      await db.end();
    },
  };
}
