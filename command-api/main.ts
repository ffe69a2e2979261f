import type { HealthCheck } from '../platform/http/operations.ts';
import { openHttpServer } from '../platform/http/server.ts';
import { type Appender, openAppender } from '../platform/log/appender.ts';
import { openBroker } from '../platform/log/broker.ts';
import { openCodec } from '../platform/log/codec.ts';
import { connectKafka } from '../platform/log/kafka.ts';
import { checkTopics } from '../platform/log/topics.ts';
import { createPool, type Pool } from '../platform/postgres/pool.ts';
import { openServing } from '../platform/postgres/serving.ts';
import { openWaiter } from '../platform/postgres/waiter.ts';
import { runMain } from '../platform/process/main.ts';
import { openStorage, type Storage } from '../platform/storage/s3.ts';
import { createMetrics } from '../platform/telemetry/metrics.ts';
import { openMasterKey } from '../platform/vault/master-key.ts';
import { type Event, eventCatalog } from '../schemas/generated/events.ts';
import { allRoutes } from '../schemas/routes.ts';
import { topics } from '../schemas/topics.ts';
import { sweepErasures, sweepHeldNames } from './account/erase.vault.ts';
import { sweepRefreshTokens } from './account/sessions.ts';
import { sweepOutbox } from './append/outbox.ts';
import { openRelay } from './append/relay.ts';
import { openIdempotency } from './guards/idempotency.ts';
import { openModels } from './guards/models.ts';
import { commandRoutes } from './server.ts';
import { openSweeper } from './sweeper.ts';

runMain('command-api', async (config, log) => {
  const { prefix, partitions, registryUrl, databaseUrl } = config;
  const master = openMasterKey(config.masterKeyFile);
  const kafka = connectKafka({ brokers: config.kafkaBrokers, clientId: 'command-api', log });
  await checkTopics(kafka, { prefix, topics, partitions });

  const pool = createPool(databaseUrl, {
    name: 'command-api',
    max: 20,
    statementTimeoutMs: 10_000,
    silenceMs: 12_000,
  });
  const metrics = createMetrics('command-api');
  const codec = await openCodec<Event>({ registryUrl, catalog: eventCatalog, prefix });
  const appender = await openAppender({ kafka, prefix, partitions, log });
  const broker = await openBroker(kafka, prefix);
  const serving = await openServing(config.databaseUrl, pool);
  const waiter = openWaiter(databaseUrl, pool);
  const storage = config.s3 && openStorage(config.s3);
  const relay = openRelay({ pool, appender, log });
  const idempotency = openIdempotency(pool, master);
  const models = openModels({ pool, serving, waiter, heads: broker.heads, partitions });
  const positionKey = await readPositionKey(pool);

  const routes = await commandRoutes({
    pool,
    master,
    codec,
    appender,
    relay,
    idempotency,
    models,
    storage,
    metrics,
    positionKey,
    issuer: config.publicUrl,
  });
  const sweeper = openSweeper(
    {
      idempotency: idempotency.sweep,
      outbox: () => sweepOutbox(pool),
      refreshTokens: () => sweepRefreshTokens(pool),
      erasures: () => sweepErasures(pool),
      heldNames: () => sweepHeldNames(pool),
    },
    log,
  );
  const server = await openHttpServer({
    host: config.host,
    port: config.port,
    corsOrigins: config.corsOrigins,
    trustedProxies: config.trustedProxies,
    log,
    metrics,
    routes,
    known: allRoutes,
    checks: checksOf(pool, broker.check, appender, storage),
  });

  return {
    async close() {
      sweeper.close();
      await server.close();
      await relay.close();
      await appender.close();
      await broker.close();
      await waiter.close();
      await serving.close();
      storage?.close();
      await pool.end();
    },
  };
});

async function readPositionKey(pool: Pool): Promise<Buffer> {
  const { rows } = await pool.query(`SELECT value FROM engine.setting WHERE name = 'position_key'`);
  if (!rows[0])
    throw new Error('engine.setting has no position_key. Run `emulsion up` to migrate the database.');
  return rows[0].value;
}

/** Without Postgres or Kafka no command can be answered; without the object store uploads fail and all else runs. */
function checksOf(
  pool: Pool,
  broker: () => Promise<void>,
  appender: Appender,
  storage: Storage | null,
): HealthCheck[] {
  const checks: HealthCheck[] = [
    {
      name: 'postgres',
      required: true,
      check: async () => {
        await pool.query('SELECT 1');
      },
    },
    { name: 'kafka', required: true, check: broker },
    // Not required: only a write can tell that writes are taken again.
    { name: 'appends', required: false, check: async () => appender.check() },
  ];
  if (!storage) return checks;
  return [
    ...checks,
    {
      name: 's3',
      required: false,
      check: async () => {
        await storage.exists('readyz');
      },
    },
  ];
}
