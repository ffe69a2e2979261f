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

/**
 * The value of a key, or null when Redis was started again since `lifeKey` was given its run id: what it had taken last
 * may be missing then. Throws when Redis does not answer.
 */
export async function readOfThisLife(redis: Redis, key: string, lifeKey: string): Promise<string | null> {
  const answers = await redis.multi().get(key).get(lifeKey).info('server').exec();
  const [value, life, info] = answers!.map(([error, answer]) => {
    if (error) throw error;
    return answer;
  }) as [string | null, string | null, string];
  return life === runIdOf(info) ? value : null;
}

const askAgainMs = 1_000;

/**
 * The run id of the Redis that this connection is to; null while that is not known. It is asked until it is known, and
 * forgotten before the next one, so that what a new Redis answers is never taken for the old one's.
 */
export function watchRunId(redis: Redis): () => string | null {
  let runId: string | null = null;
  let connection = 0;
  const ask = async (): Promise<void> => {
    const asked = connection;
    const info = await redis.info('server').catch(() => '');
    if (asked !== connection) return;
    runId = runIdOf(info);
    if (runId === null) setTimeout(() => asked === connection && void ask(), askAgainMs).unref();
  };
  redis.on('close', () => {
    connection += 1;
    runId = null;
  });
  redis.on('ready', () => void ask());
  if (redis.status === 'ready') void ask();
  return () => runId;
}

/** Which life of Redis this is, of what INFO says of the server: another one after each start. */
function runIdOf(info: string): string | null {
  return /^run_id:(\w+)/m.exec(info)?.[1] ?? null;
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
