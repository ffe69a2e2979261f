import type { Config } from '../platform/process/config.ts';
import { type Running, runMain } from '../platform/process/main.ts';
import { createRedis, redisReady } from '../platform/redis/redis.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import { createMetrics } from '../platform/telemetry/metrics.ts';
import { timelineRules } from '../schemas/content/timeline.keys.ts';
import { timelines } from './content/timeline.model.ts';
import { openTimelineStore } from './content/timeline.redis.ts';
import { runTimelines } from './content/timeline.runner.ts';
import { keepFresh } from './engine/freshness.ts';
import { runModel } from './engine/runner.ts';
import { openEngine, serveHealth } from './process.ts';
import { models } from './registry.ts';

/** The process that makes the read models: Postgres tables and Redis timelines. */
async function start(config: Config, log: Logger): Promise<Running> {
  const metrics = createMetrics('projectors');
  const engine = await openEngine('projectors', config, log, metrics);
  const redis = createRedis(config.redisUrl, { name: 'projectors' });
  await redisReady(redis);
  const options = {
    store: openTimelineStore(redis, config.prefix, timelines.version, timelineRules),
    rules: timelineRules,
    threshold: config.fanoutThreshold,
  };
  const running = await Promise.all([
    ...models.map((model) => runModel(engine, model)),
    runTimelines(engine, options),
  ]);
  const freshness = await keepFresh(engine, running);
  const health = await serveHealth(config, engine, metrics, running);
  return {
    async close() {
      await Promise.all(running.map((model) => model.close()));
      await freshness.close();
      await health.close();
      redis.disconnect();
      await engine.pool.end();
    },
  };
}

runMain('projectors', start);
