import { Redis } from 'ioredis';

export type { Redis } from 'ioredis';

/** A connection that fails fast while Redis is away, so that callers can answer from elsewhere. */
export function createRedis(url: string, options: { name: string }): Redis {
  const redis = new Redis(url, {
    connectionName: options.name,
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    commandTimeout: 2_000,
    connectTimeout: 2_000,
    retryStrategy: (times) => Math.min(50 * 2 ** times, 2_000),
  });
  redis.on('error', () => {});
  return redis;
}

/** Resolves when the connection is up, or after the limit: whoever needs Redis notices by itself. */
export async function redisReady(redis: Redis, limitMs = 2_000): Promise<boolean> {
  if (redis.status === 'ready') return true;
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(false), limitMs);
    const up = (): void => done(true);
    const done = (ready: boolean): void => {
      clearTimeout(timer);
      redis.off('ready', up);
      resolve(ready);
    };
    redis.once('ready', up);
  });
}
