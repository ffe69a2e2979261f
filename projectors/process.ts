import { type HttpServer, openHttpServer } from '../platform/http/server.ts';
import { openCodec } from '../platform/log/codec.ts';
import { connectKafka } from '../platform/log/kafka.ts';
import { checkTopics } from '../platform/log/topics.ts';
import { createPool } from '../platform/postgres/pool.ts';
import type { Config } from '../platform/process/config.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import { openMasterKey } from '../platform/vault/master-key.ts';
import { type Event, eventCatalog } from '../schemas/generated/events.ts';
import { topics } from '../schemas/topics.ts';
import { createEngine, type Engine, type RunningModel } from './engine/runner.ts';

/** Connections: each model has a transaction of its own, timelines also one that holds their locks. */
const connections = 16;

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
  const codec = await openCodec<Event>({
    registryUrl: config.registryUrl,
    catalog: eventCatalog,
    prefix: config.prefix,
  });
  const master = openMasterKey(config.masterKeyFile);
  const { prefix, partitions } = config;
  return createEngine({ kafka, pool, codec, master, log, prefix, partitions }, metrics);
}

/**
 * Health and metrics of a process of this room. A consumer that stopped needs an operator, not a restart: being
 * behind, retrying or stopped is `degraded`, never a failed readiness (DESIGN §7, F-OP7).
 */
export function serveHealth(
  config: Config,
  engine: Engine,
  metrics: Metrics,
  running: () => readonly RunningModel[],
): Promise<HttpServer> {
  return openHttpServer({
    host: config.host,
    port: config.port,
    log: engine.log,
    metrics,
    routes: [],
    known: [],
    corsOrigins: [],
    trustedProxies: [],
    checks: [
      { name: 'postgres', required: true, check: async () => void (await engine.pool.query('SELECT 1')) },
      { name: 'projections', required: false, check: async () => mustRun(running()) },
    ],
  });
}

function mustRun(models: readonly RunningModel[]): void {
  const halted = models.flatMap(({ consumer, state }) => {
    const { state: now, reason } = state();
    return now === 'running' ? [] : [`${consumer} ${now}${reason ? `: ${reason}` : ''}`];
  });
  if (halted.length > 0) throw new Error(halted.join('; '));
}
