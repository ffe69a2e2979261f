import type { Queryable } from '../../platform/postgres/pool.ts';
import { repeat } from '../../platform/process/repeat.ts';
import type { Redis } from '../../platform/redis/redis.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import { streamKey } from '../../schemas/notify/frame.ts';

export interface SweeperOptions {
  pool: Queryable;
  redis: Redis;
  prefix: string;
  log: Logger;
}

/** Milliseconds between two looks. */
const everyMs = 1_000;
/** Minutes for which a round that was under way at an erasure may still bring frames. */
const lateMinutes = 20;
/** Milliseconds between two looks at all who were ever erased. */
const allEveryMs = 3_600_000;
/** People of one look into Postgres, and keys of one command. */
const atOnce = 1_000;
const beforeAnybody = '00000000-0000-0000-0000-000000000000';

/**
 * Deletes in Redis what erased people were told: each second of who was erased lately, and of all after each connection,
 * for nobody knows what that Redis has missed. By itself, because no round waits for Redis.
 */
export function openSweeper({ pool, redis, prefix, log }: SweeperOptions): { close(): Promise<void> } {
  let closed = false;
  /** By performance.now(). */
  let allDue = 0;

  const sweep = async (all: boolean): Promise<void> => {
    for (let after = beforeAnybody; !closed; ) {
      const userIds = await erasedAfter(pool, after, all);
      if (userIds.length > 0) await redis.unlink(userIds.map((userId) => streamKey(prefix, userId)));
      if (userIds.length < atOnce) return;
      after = userIds.at(-1)!;
    }
  };
  const look = async (): Promise<void> => {
    if (redis.status !== 'ready') return;
    const all = performance.now() >= allDue;
    if (all) allDue = performance.now() + allEveryMs;
    await sweep(all).catch((error) => {
      if (all) allDue = 0;
      log.warn({ err: error }, 'what erased people were told is still in Redis');
    });
  };
  const onReady = (): void => {
    allDue = 0;
  };
  redis.on('ready', onReady);
  const looks = repeat(everyMs, look);
  return {
    async close() {
      closed = true;
      redis.off('ready', onReady);
      await looks.stop();
    },
  };
}

/** Some of those who were erased, in the order of their ids. */
async function erasedAfter(pool: Queryable, after: string, all: boolean): Promise<string[]> {
  const { rows } = await pool.query(
    `SELECT user_id FROM vault.erasure
     WHERE user_id > $1 AND ($2 OR erased_at > now() - make_interval(mins => ${lateMinutes}))
     ORDER BY user_id LIMIT ${atOnce}`,
    [after, all],
  );
  return rows.map((row) => row.user_id);
}
