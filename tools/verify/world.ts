import { openCodec } from '../../platform/log/codec.ts';
import { connectKafka } from '../../platform/log/kafka.ts';
import { createPool } from '../../platform/postgres/pool.ts';
import { readConfig } from '../../platform/process/config.ts';
import { createRedis, redisReady } from '../../platform/redis/redis.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { openMasterKey } from '../../platform/vault/master-key.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import type { World } from './source.ts';

/** Connects to all that verify reads, from an environment. */
export async function openWorld(
  env: Record<string, string | undefined>,
): Promise<World & { close(): Promise<void> }> {
  const config = readConfig(env);
  const { prefix, registryUrl } = config;
  const log = createLogger('verify', 'error');
  const kafka = connectKafka({ brokers: config.kafkaBrokers, clientId: 'emulsion-verify', log });
  const codec = await openCodec<Event>({ registryUrl, catalog: eventCatalog, prefix });
  const pool = createPool(config.databaseUrl, { name: 'emulsion-verify', max: 2, statementTimeoutMs: 0 });
  const redis = createRedis(config.redisUrl, { name: 'emulsion-verify' });
  await redisReady(redis);
  const { host, pathname } = new URL(config.databaseUrl);
  return {
    name: `${host}${pathname} ${prefix}`,
    kafka,
    prefix,
    codec,
    pool,
    redis,
    master: openMasterKey(config.masterKeyFile),
    async close() {
      redis.disconnect();
      await pool.end();
    },
  };
}
