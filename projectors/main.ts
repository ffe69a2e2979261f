import type { Config } from '../platform/process/config.ts';
import { type Running, runMain } from '../platform/process/main.ts';
import { createRedis, redisReady } from '../platform/redis/redis.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import { createMetrics } from '../platform/telemetry/metrics.ts';
import { timelineRules } from '../schemas/content/timeline.keys.ts';
import { timelineProjection } from './content/timeline.projection.ts';
import { openControl } from './engine/control/loop.ts';
import { watchRebuilds } from './engine/members.ts';
import { type Projection, plainProjection } from './engine/projection.ts';
import { openEngine, serveOperations } from './process.ts';
import { models } from './registry.ts';

/** The process that makes the read models, Postgres tables and Redis timelines, and builds them again. */
async function start(config: Config, log: Logger): Promise<Running> {
  const metrics = createMetrics('projectors');
  const engine = await openEngine('projectors', config, log, metrics);
  const redis = createRedis(config.redisUrl, { name: 'projectors' });
  await redisReady(redis);
  const { prefix, fanoutThreshold: threshold } = config;
  const projections: Projection[] = [
    ...models.map(plainProjection),
    timelineProjection({ redis, prefix, rules: timelineRules, threshold }),
  ];
  const control = await openControl({
    engine,
    projections,
    databaseUrl: config.databaseUrl,
    rebuildsAtOnce: config.rebuildsAtOnce,
    postgresData: config.postgresData,
    environment: process.env,
  });
  const { running } = control;
  const rebuilds = watchRebuilds(metrics);
  const operations = await serveOperations({
    name: 'projectors',
    config,
    engine,
    metrics,
    running,
    rebuilds,
  });
  return {
    async close() {
      await control.close();
      await operations.close();
      redis.disconnect();
      await engine.pauses.close();
      await engine.pool.end();
    },
  };
}

runMain('projectors', start);
