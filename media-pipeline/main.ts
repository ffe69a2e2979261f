import type { HealthCheck } from '../platform/http/operations.ts';
import { openHttpServer } from '../platform/http/server.ts';
import { openAppender } from '../platform/log/appender.ts';
import { openCodec, UnknownEventType } from '../platform/log/codec.ts';
import { runConsumer } from '../platform/log/consumer.ts';
import { connectKafka } from '../platform/log/kafka.ts';
import { openRulings } from '../platform/log/rulings.ts';
import { checkTopics } from '../platform/log/topics.ts';
import { watchConsumers } from '../platform/log/watch.ts';
import { openPauses } from '../platform/postgres/pauses.ts';
import { createPool, type Pool } from '../platform/postgres/pool.ts';
import type { Config } from '../platform/process/config.ts';
import { openGate } from '../platform/process/gate.ts';
import { type Running, runMain } from '../platform/process/main.ts';
import { openStorage } from '../platform/storage/s3.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import { createMetrics } from '../platform/telemetry/metrics.ts';
import { openMasterKey } from '../platform/vault/master-key.ts';
import { type Event, eventCatalog } from '../schemas/generated/events.ts';
import { rulingOf, rulingTopic } from '../schemas/operator/dead-letter.ts';
import { createBudget } from './run/budget.ts';
import { consumerName, createHandler, roundRecords } from './run/consume.ts';
import { openEraser } from './run/eraser.ts';
import { createMediaMetrics } from './run/metrics.ts';

const topics = ['media-events'] as const;

async function start(config: Config, log: Logger): Promise<Running> {
  const { prefix, partitions } = config;
  const metrics = createMetrics(consumerName);
  const pool = createPool(config.databaseUrl, { name: consumerName, max: 4 });
  const kafka = connectKafka({ brokers: config.kafkaBrokers, clientId: consumerName, log });
  await checkTopics(kafka, { prefix, topics, partitions });
  const codec = await openCodec<Event>({ registryUrl: config.registryUrl, catalog: eventCatalog, prefix });
  const rulings = openRulings({ kafka, prefix, codec, topic: rulingTopic, rulingOf });
  const pauses = await openPauses(config.databaseUrl, pool);
  const appender = await openAppender({ kafka, prefix, partitions, log });
  // Without an object store nobody can upload, so there is nothing to do; the process stays for its health.
  const storage = config.s3 && openStorage(config.s3);
  const master = openMasterKey(config.masterKeyFile);
  const eraser = storage && openEraser({ pool, storage, master, log });
  const consumer =
    storage &&
    runConsumer({
      kafka,
      pool,
      log,
      consumer: consumerName,
      topics,
      prefix,
      partitions,
      // Uploads from before its first start wait for it; outcomes are the same however often they are made.
      start: 'beginning',
      maxRecords: roundRecords,
      gate: openGate(),
      paused: () => pauses.isPaused(consumerName),
      claimed: rulings.refresh,
      handle: createHandler({
        storage,
        master,
        limits: config.media,
        pixels: createBudget(config.media.maxPixels),
        atOnce: config.media.atOnce,
        codec,
        appender,
        pool,
        log,
        metrics: createMediaMetrics(metrics),
        rulings,
      }),
      fatal: (error) => error instanceof UnknownEventType,
    });
  const running = consumer ? [{ consumer: consumerName, ...consumer }] : [];
  const watch = await watchConsumers({
    kafka,
    prefix,
    topics,
    log,
    metrics,
    databaseUrl: config.databaseUrl,
    process: consumerName,
    consumers: () => running,
  });
  const server = await openHttpServer({
    host: config.host,
    port: config.port,
    log,
    metrics,
    routes: [],
    known: [],
    corsOrigins: [],
    trustedProxies: [],
    checks: healthChecks(pool, () => running.map(watch.troubleOf)),
  });
  return {
    async close() {
      await server.close();
      await consumer?.close();
      await eraser?.close();
      await pauses.close();
      await watch.close();
      await appender.close();
      storage?.close();
      await pool.end();
    },
  };
}

/** A consumer that stopped needs an operator, not a restart, so it is told as degraded (F-OP7). */
function healthChecks(pool: Pool, troubles: () => (string | null)[]): HealthCheck[] {
  return [
    { name: 'postgres', required: true, check: async () => void (await pool.query('SELECT 1')) },
    {
      name: 'consumer',
      required: false,
      check: async () => {
        const trouble = troubles().find((one) => one !== null);
        if (trouble) throw new Error(trouble);
      },
    },
  ];
}

runMain(consumerName, start);
