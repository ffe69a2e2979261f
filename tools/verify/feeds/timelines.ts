import { type Redis, readOfThisLife } from '../../../platform/redis/redis.ts';
import { timelineKeys } from '../../../schemas/content/timeline.keys.ts';
import type { Entry } from './feeds.ts';

/** A timeline has up to a thousand entries. */
const readersACall = 50;

/** The timelines of these readers as Redis holds them. */
export async function* readTimelines(
  redis: Redis,
  prefix: string,
  version: number,
  readers: readonly string[],
): AsyncGenerator<[reader: string, timeline: Entry[]]> {
  const keys = timelineKeys(prefix, version);
  for (let at = 0; at < readers.length; at += readersACall) {
    const some = readers.slice(at, at + readersACall);
    const pipeline = redis.pipeline();
    for (const reader of some) pipeline.zrevrange(keys.timeline(reader), 0, -1, 'WITHSCORES');
    const answers = (await pipeline.exec()) ?? [];
    for (const [index, [error, flat]] of answers.entries()) {
      if (error) throw error;
      yield [some[index]!, entriesOf(flat as string[])];
    }
  }
}

function entriesOf(flat: readonly string[]): Entry[] {
  const entries: Entry[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const [postId, authorId] = flat[i]!.split(':');
    entries.push({ postId: postId!, authorId: authorId ?? '', at: Number(flat[i + 1]) });
  }
  return entries;
}

/** Gives everybody who has a timeline in Redis, some more than once. */
export async function scanReaders(
  redis: Redis,
  prefix: string,
  version: number,
  take: (reader: string) => void,
): Promise<void> {
  const base = timelineKeys(prefix, version).timeline('');
  for (let cursor = '0'; ; ) {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `${base}*`, 'COUNT', 1_000);
    for (const key of keys) {
      const id = key.slice(base.length);
      if (/^[0-9a-f-]{36}$/.test(id)) take(id);
    }
    if (next === '0') return;
    cursor = next;
  }
}

/** Which set of timelines Redis holds; null: none that is whole, or Redis does not answer. */
export function epochInRedis(redis: Redis, prefix: string, version: number): Promise<string | null> {
  const { epoch, life } = timelineKeys(prefix, version);
  return readOfThisLife(redis, epoch, life).catch(() => null);
}
