import { createKeyStore } from '../platform/http/signing-keys.ts';
import { createPool } from '../platform/postgres/pool.ts';
import { prepared } from '../platform/postgres/prepared.ts';
import { openServing } from '../platform/postgres/serving.ts';
import type { Config } from '../platform/process/config.ts';
import { type Running, runMain } from '../platform/process/main.ts';
import { createRedis, redisReady } from '../platform/redis/redis.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import { createMetrics } from '../platform/telemetry/metrics.ts';
import { watchErasures } from '../platform/vault/erasures.ts';
import { openVerifier } from './stream/auth.ts';
import { createConnections } from './stream/connections.ts';
import { openHistory } from './stream/history.ts';
import { openHub } from './stream/hub.ts';
import { streamMetrics } from './stream/metrics.ts';
import { openStreamServer } from './stream/server.ts';
import { readStreamSettings } from './stream/settings.ts';

/** Deliveries logged at info each second; the rest is logged at debug. */
const deliveriesLogged = 20;

/** The stream node (DESIGN §8): as many processes as wanted, none keeps anything of its own. */
runMain('stream', startStream);

async function startStream(config: Config, log: Logger): Promise<Running> {
  const settings = readStreamSettings(process.env);
  const metrics = streamMetrics(createMetrics('stream'));
  const pool = createPool(config.databaseUrl, { name: 'stream', silenceMs: 17_000 });
  const subscriber = createRedis(config.redisUrl, { name: 'stream-subscriber' });
  const redis = createRedis(config.redisUrl, { name: 'stream' });
  await Promise.all([redisReady(subscriber), redisReady(redis)]);
  const serving = await openServing(config.databaseUrl, pool);
  const keyOf = createKeyStore(async () => {
    const { rows } = await pool.query('SELECT kid, public_jwk AS jwk FROM vault.signing_key');
    return rows;
  });

  const { prefix } = config;
  const shows = { pool: prepared(pool), serving, metrics };
  const hub = openHub({ ...shows, subscriber, prefix, sweepMs: settings.sweepMs, log });
  const connections = createConnections(settings, metrics);
  const server = await openStreamServer(
    {
      settings,
      verifier: openVerifier({ keyOf, issuer: config.publicUrl, isErased: watchErasures(pool) }),
      connections,
      hub,
      history: openHistory({ ...shows, redis, prefix }),
      log,
      metrics,
      mayLog: perSecond(deliveriesLogged),
    },
    config,
  );
  log.info({ port: server.port }, 'listening');
  return {
    async close() {
      await server.close();
      connections.close();
      hub.close();
      await serving.close();
      subscriber.disconnect();
      redis.disconnect();
      await pool.end();
    },
  };
}

/** True so many times a second. */
function perSecond(limit: number): () => boolean {
  let second = 0;
  let used = 0;
  return () => {
    const now = Math.floor(Date.now() / 1_000);
    if (now !== second) used = 0;
    second = now;
    used += 1;
    return used <= limit;
  };
}
