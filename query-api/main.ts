import { createPool } from '../platform/postgres/pool.ts';
import { openServing } from '../platform/postgres/serving.ts';
import { openWaiter } from '../platform/postgres/waiter.ts';
import { runMain } from '../platform/process/main.ts';
import { createRedis, redisReady } from '../platform/redis/redis.ts';
import { createMetrics } from '../platform/telemetry/metrics.ts';
import { openQueryApi } from './server.ts';

runMain('query-api', async (config, log) => {
  const pool = createPool(config.databaseUrl, {
    name: 'query-api',
    max: 20,
    statementTimeoutMs: 5_000,
    silenceMs: 7_000,
  });
  const redis = createRedis(config.redisUrl, { name: 'query-api' });
  await redisReady(redis);
  const serving = await openServing(config.databaseUrl, pool);
  const waiter = openWaiter(config.databaseUrl, pool);
  const { host, port, prefix, publicUrl, corsOrigins, trustedProxies } = config;
  const metrics = createMetrics('query-api');
  const parts = { pool, redis, serving, waiter, metrics, log };
  const server = await openQueryApi({ host, port, prefix, publicUrl, corsOrigins, trustedProxies, ...parts });
  return {
    async close() {
      await server.close();
      await waiter.close();
      await serving.close();
      redis.disconnect();
      await pool.end();
    },
  };
});
