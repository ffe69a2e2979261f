import type { Config } from '../platform/process/config.ts';
import { type Running, runMain } from '../platform/process/main.ts';
import { createRedis, redisReady } from '../platform/redis/redis.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import { createMetrics } from '../platform/telemetry/metrics.ts';
import { runStreamReactor } from './notify/stream.reactor.ts';
import { openSweeper } from './notify/stream.sweep.ts';
import { openEngine, serveOperations } from './process.ts';

/** The process whose work reaches outside: apart from the models, so that a rebuild never starves it. */
async function start(config: Config, log: Logger): Promise<Running> {
  const metrics = createMetrics('reactors');
  const engine = await openEngine('reactors', config, log, metrics);
  const redis = createRedis(config.redisUrl, { name: 'reactors' });
  await redisReady(redis);
  const { pool, prefix } = engine;
  const sweeper = openSweeper({ pool, redis, prefix, log });
  const running = [await runStreamReactor(engine, redis)];
  const operations = await serveOperations({
    name: 'reactors',
    config,
    engine,
    metrics,
    running: () => running,
  });
  return {
    async close() {
      await Promise.all(running.map((model) => model.close()));
      await operations.close();
      await sweeper.close();
      redis.disconnect();
      await engine.pauses.close();
      await engine.pool.end();
    },
  };
}

runMain('reactors', start);
