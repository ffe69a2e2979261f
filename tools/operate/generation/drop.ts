import { failure } from '../../../deploy/native/failure.ts';
import type { Kafka } from '../../../platform/log/kafka.ts';
import { topicName } from '../../../platform/log/topics.ts';
import type { Queryable } from '../../../platform/postgres/pool.ts';
import type { Redis } from '../../../platform/redis/redis.ts';
import { streamKey } from '../../../schemas/notify/frame.ts';
import { topics } from '../../../schemas/topics.ts';
import { removeKeys, scanKeys } from '../backup/redis-keys.ts';
import { forgetState } from './state.ts';

export interface Dropped {
  topics: string[];
  keys: number;
}

/**
 * Deletes a generation that is not in use: its topics, its keys in Redis, and what is known of its copy. Its schemas stay:
 * records of other generations name them by number.
 */
export async function dropGeneration(
  { kafka, pool, redis }: { kafka: Kafka; pool: Queryable; redis: Redis },
  inUse: string,
  prefix: string,
): Promise<Dropped> {
  if (prefix === inUse)
    throw failure(
      `"${prefix}" is the generation in use.`,
      'Name the one before, or a copy that was given up.',
    );
  const names = await deleteTopics(kafka, prefix);
  await forgetState(pool, prefix);
  let keys = 0;
  for (const start of [`${prefix}tl:`, streamKey(prefix, '')])
    for await (const found of scanKeys(redis, start)) {
      await removeKeys(redis, found);
      keys += found.length;
    }
  return { topics: names, keys };
}

async function deleteTopics(kafka: Kafka, prefix: string): Promise<string[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const there = new Set(await admin.listTopics());
    const names = topics.map((topic) => topicName(prefix, topic)).filter((name) => there.has(name));
    if (names.length > 0) await admin.deleteTopics({ topics: names });
    return names;
  } finally {
    await admin.disconnect();
  }
}
