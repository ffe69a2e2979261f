import { UnknownEventType } from '../../platform/log/codec.ts';
import { type PartitionBatch, type RunningConsumer, runConsumer } from '../../platform/log/consumer.ts';
import type { Kafka } from '../../platform/log/kafka.ts';
import { headerOf } from '../../platform/log/record.ts';
import { openRulings } from '../../platform/log/rulings.ts';
import type { Pauses } from '../../platform/postgres/pauses.ts';
import type { Pool } from '../../platform/postgres/pool.ts';
import { type Announcer, createAnnouncer, savePositions } from '../../platform/postgres/positions.ts';
import { consumerOf, schemaOf } from '../../platform/postgres/serving.ts';
import { crashPoint } from '../../platform/process/crash-points.ts';
import { type Gate, openGate } from '../../platform/process/gate.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import { traceIdOf } from '../../platform/telemetry/trace.ts';
import { isUnhurried } from '../../schemas/models.ts';
import { rulingOf, rulingTopic } from '../../schemas/operator/dead-letter.ts';
import {
  type Applied,
  type ApplyContext,
  applyRound,
  encodeAhead,
  type Installed,
  type RoundKind,
  settleRows,
} from './apply.ts';
import { decodeAhead } from './decoding.ts';
import type { Model } from './model.ts';
import { readTables } from './tables.ts';
import { installFirst } from './versions.ts';

/** What a process gives to every model that it runs. */
export interface Engine extends ApplyContext {
  kafka: Kafka;
  log: Logger;
  prefix: string;
  partitions: number;
  announcer: Announcer;
  pauses: Pauses;
  gate: Gate;
  observe(consumer: string, round: RoundReport): void;
}

export interface RoundReport {
  events: number;
  parked: number;
  seconds: number;
}

export interface RunningModel {
  name: string;
  consumer: string;
  state: RunningConsumer['state'];
  held: RunningConsumer['held'];
  close(): Promise<void>;
}

/** What the models of a process share, with the metrics of their rounds. */
export function createEngine(
  base: Omit<Engine, 'announcer' | 'gate' | 'rulings' | 'observe'>,
  metrics: Metrics,
): Engine {
  const events = metrics.counter('projection_events_total', 'Events applied', ['consumer']);
  const parked = metrics.counter('projection_parked_total', 'Records parked', ['consumer']);
  const seconds = metrics.histogram('worker_latency_seconds', 'Seconds a round took', ['worker']);
  return {
    ...base,
    announcer: createAnnouncer(base.pool),
    gate: openGate(),
    rulings: openRulings({ ...base, topic: rulingTopic, rulingOf }),
    observe(consumer, round) {
      events.inc({ consumer }, round.events);
      if (round.parked > 0) parked.inc({ consumer }, round.parked);
      seconds.observe({ worker: consumer }, round.seconds);
    },
  };
}

/** Finds or makes the tables of a model. Throws when another definition of it is there and this has to be built first. */
export async function install(engine: Engine, model: Model): Promise<Installed> {
  const version = await installFirst(engine.pool, model);
  if (version === null) throw new Error(`${model.name} has no build of definition ${model.version} yet`);
  return openBuild(engine.pool, model, version);
}

/** A build that is there, with its tables found. */
export async function openBuild(pool: Pool, model: Model, version: number): Promise<Installed> {
  const schema = schemaOf(model.name, version);
  const tables = await readTables(pool, model, schema);
  return { model, version, consumer: consumerOf(model.name, version), schema, tables };
}

const plainRound: RoundKind<void> = {
  fence: savePositions,
  write: settleRows,
  inTransaction: async () => crashPoint('model.applied'),
  committed: async () => crashPoint('model.committed'),
};

/** Applies each round to the model's tables. */
export function createModelHandler(engine: Engine, installed: Installed) {
  return async (batches: readonly PartitionBatch[]): Promise<void> => {
    const began = performance.now();
    crashPoint('model.fetched');
    const applied = await applyRound(engine, installed, batches, plainRound);
    finishRound(engine, installed, batches, applied, began);
  };
}

/** Runs whatever handles an installed model's batches: the plain path above, timelines, reactors. */
export function runInstalled(
  engine: Engine,
  installed: Installed,
  handle: (batches: readonly PartitionBatch[]) => Promise<void>,
  extra: { maxRecords?: number; claimed?: Parameters<typeof runConsumer>[0]['claimed'] } = {},
): RunningModel {
  const running = runConsumer({
    kafka: engine.kafka,
    pool: engine.pool,
    log: engine.log,
    consumer: installed.consumer,
    topics: installed.model.topics,
    prefix: engine.prefix,
    partitions: engine.partitions,
    start: 'beginning',
    gate: engine.gate,
    paused: () => engine.pauses.isPaused(installed.model.name),
    unhurried: (topic) => isUnhurried(installed.model.name, topic),
    fatal: (error) => error instanceof UnknownEventType,
    arrived: (records) => void decodeAhead(engine.codec, records),
    // After what has arrived in this turn of the event loop is decoded.
    ready: (batches) => void setImmediate(() => encodeAhead(engine, installed, batches)),
    handle,
    ...extra,
    async claimed(positions) {
      await engine.rulings.refresh();
      await extra.claimed?.(positions);
    },
  });
  const { state, held, close } = running;
  return { name: installed.model.name, consumer: installed.consumer, state, held, close };
}

const tracesPerLine = 20;

/** Tells readers, metrics and the log that a round is done. */
export function finishRound<T>(
  engine: Engine,
  installed: Installed,
  batches: readonly PartitionBatch[],
  applied: readonly Applied<T>[],
  began: number,
): void {
  for (const part of applied) engine.announcer.committed(installed.consumer, part.steps);
  const events = applied.reduce((sum, part) => sum + part.events.length, 0);
  const parkings = applied.flatMap((part) => part.parkings);
  const seconds = (performance.now() - began) / 1_000;
  engine.observe(installed.consumer, { events, parked: parkings.length, seconds });
  const records = batches.flatMap((batch) => batch.records.slice(0, tracesPerLine));
  const traceIds = records
    .slice(0, tracesPerLine)
    .map((record) => traceIdOf(headerOf(record, 'traceparent')));
  engine.log.info({ consumer: installed.consumer, events, seconds, traceIds }, 'applied');
  for (const { record, code, detail } of parkings) {
    const { topic, partition, offset, key } = record;
    engine.log.error(
      { consumer: installed.consumer, topic, partition, offset: `${offset}`, key, code, detail },
      'parked',
    );
  }
}
