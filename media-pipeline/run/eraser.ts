import { type Pool, transaction } from '../../platform/postgres/pool.ts';
import { crashPoint } from '../../platform/process/crash-points.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import { eraseObjects, type Store } from '../steps/erase.ts';

export interface EraserOptions extends Store {
  pool: Pool;
  log: Logger;
}

/** Milliseconds between two looks. */
const everyMs = 1_000;
/** Minutes that an upload address handed out before the erasure may be used, and a little: then it is looked once more. */
const uploadMinutes = 20;

const due = `objects_at IS NULL
  OR (objects_at < erased_at + make_interval(mins => ${uploadMinutes}) AND now() > erased_at + make_interval(mins => ${uploadMinutes}))`;

/**
 * Removes the objects of erased accounts, one account after the other, and once more when nothing can be uploaded to
 * them any more. What is done is marked behind it, so whoever dies leaves it to the next look, of any process.
 */
export function openEraser(options: EraserOptions): { close(): Promise<void> } {
  let closed = false;
  let looking: Promise<void> = Promise.resolve();
  let idle = true;
  const timer = setInterval(() => {
    if (!idle) return;
    idle = false;
    looking = eraseAll(options, () => closed)
      .catch((error) => options.log.warn({ err: error }, 'objects of an erased account are still there'))
      .finally(() => {
        idle = true;
      });
  }, everyMs);
  timer.unref();
  return {
    async close() {
      closed = true;
      clearInterval(timer);
      await looking;
    },
  };
}

async function eraseAll(options: EraserOptions, closed: () => boolean): Promise<void> {
  while (!closed() && (await eraseNext(options)));
}

/** False: nothing is left to do. */
async function eraseNext({ pool, log, ...store }: EraserOptions): Promise<boolean> {
  return transaction(pool, async (client) => {
    const { rows } = await client.query(
      `SELECT user_id FROM vault.erasure WHERE ${due} ORDER BY erased_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
    );
    if (!rows[0]) return false;
    const userId = rows[0].user_id as string;
    const objects = await eraseObjects(store, userId);
    crashPoint('media.erase.removed');
    // As of the begin of this transaction: what was uploaded while it went on is for the second look.
    await client.query('UPDATE vault.erasure SET objects_at = now() WHERE user_id = $1', [userId]);
    log.info({ userId, objects }, 'objects of an erased account removed');
    return true;
  });
}
