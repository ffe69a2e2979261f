import type { Redis } from '../../../platform/redis/redis.ts';

const keysAtOnce = 1_000;

/** Every key that begins so, some at a time; a key may come twice. `start` has no character that SCAN takes for a pattern. */
export async function* scanKeys(redis: Redis, start: string): AsyncGenerator<string[]> {
  for (let cursor = '0'; ; ) {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `${start}*`, 'COUNT', keysAtOnce);
    if (keys.length > 0) yield keys;
    if (next === '0') return;
    cursor = next;
  }
}

export async function removeKeys(redis: Redis, keys: readonly string[]): Promise<void> {
  for (let i = 0; i < keys.length; i += keysAtOnce) await redis.unlink(...keys.slice(i, i + keysAtOnce));
}
