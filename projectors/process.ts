import { openHttpServer } from '../platform/http/server.ts';
import { openCodec } from '../platform/log/codec.ts';
import { connectKafka } from '../platform/log/kafka.ts';
import { checkTopics } from '../platform/log/topics.ts';
import { openPauses } from '../platform/postgres/pauses.ts';
import { createPool } from '../platform/postgres/pool.ts';
import type { Config } from '../platform/process/config.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import { openMasterKey } from '../platform/vault/master-key.ts';
import { eventCatalog } from '../schemas/generated/events.ts';
import { topics } from '../schemas/topics.ts';
import { type ModelWatch, type RebuildWatch, watchModels } from './engine/members.ts';
import { envelopeSeen, type SeenEvent } from './engine/model.ts';
import { createEngine, type Engine, type RunningModel } from './engine/runner.ts';

/** Connections: each model has a transaction of its own, timelines also one that holds their locks. */
const connections = 20;

/** What both processes of this room (models, reactors) open; refuses to start on a log of another shape. */
export async function openEngine(
  name: string,
  config: Config,
  log: Logger,
  metrics: Metrics,
): Promise<Engine> {
  const kafka = connectKafka({ brokers: config.kafkaBrokers, clientId: `${config.prefix}${name}`, log });
  await checkTopics(kafka, { prefix: config.prefix, topics, partitions: config.partitions });
  const pool = createPool(config.databaseUrl, { name, max: connections, statementTimeoutMs: 120_000 });
  const codec = await openCodec<SeenEvent>({
    registryUrl: config.registryUrl,
    catalog: eventCatalog,
    prefix: config.prefix,
    envelope: envelopeSeen,
  });
  const master = openMasterKey(config.masterKeyFile);
  const { prefix, partitions } = config;
  const pauses = await openPauses(config.databaseUrl, pool);
  return createEngine({ kafka, pool, codec, master, log, prefix, partitions, pauses }, metrics);
}

export interface Operations {
  /** What operators know the process by. */
  name: string;
  config: Config;
  engine: Engine;
  metrics: Metrics;
  /** The builds it projects; asked for again each time. */
  running(): readonly RunningModel[];
  /** Of the process that also builds them. */
  rebuilds?: RebuildWatch;
}

/**
 * What operators see of a process of this room: its rows in engine.member, metrics and health. A consumer that stopped
 * needs an operator, not a restart: behind, paused, stalled, rebuilding or stopped is `degraded`, never a failed
 * readiness (DESIGN §7, F-OP7).
 */
export async function serveOperations(options: Operations): Promise<{ close(): Promise<void> }> {
  const { name, config, engine, metrics, running, rebuilds } = options;
  const { host, port, databaseUrl } = config;
  const watch = await watchModels({ engine, metrics, databaseUrl, process: name, running, rebuilds });
  const server = await openHttpServer({
    host,
    port,
    log: engine.log,
    metrics,
    routes: [],
    known: [],
    corsOrigins: [],
    trustedProxies: [],
    checks: [
      { name: 'postgres', required: true, check: async () => void (await engine.pool.query('SELECT 1')) },
      { name: 'projections', required: false, check: async () => mustBeWell(watch) },
    ],
  });
  return {
    async close() {
      await server.close();
      await watch.close();
    },
  };
}

function mustBeWell(watch: ModelWatch): void {
  const troubles = watch.troubles();
  if (troubles.length > 0) throw new Error(troubles.join('; '));
}
