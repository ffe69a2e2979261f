import { type Pool, transaction } from '../../platform/postgres/pool.ts';
import { crashPoint } from '../../platform/process/crash-points.ts';
import { isRefused } from '../../platform/storage/errors.ts';
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

/** Accounts that one look goes past because something of theirs may not be removed. */
const refusedAtOnce = 20;

const due = `objects_at IS NULL
  OR (objects_at < erased_at + make_interval(mins => ${uploadMinutes}) AND now() > erased_at + make_interval(mins => ${uploadMinutes}))`;

/**
 * Removes the objects of erased accounts, one account after the other, and once more when nothing can be uploaded to
 * them any more. What is done is marked behind it, so whoever dies leaves it to the next look, of any process. Whose
 * objects may not be removed (a legal hold, say) keeps nobody else waiting.
 */
export function openEraser(options: EraserOptions): { close(): Promise<void> } {
  const refused = new Set<string>();
  let closed = false;
  let looking: Promise<void> = Promise.resolve();
  let idle = true;
  const timer = setInterval(() => {
    if (!idle) return;
    idle = false;
    looking = eraseAll(options, refused, () => closed)
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

/** Who was refused is asked for again at the next look, but never before all others had their turn. */
async function eraseAll(options: EraserOptions, refused: Set<string>, closed: () => boolean): Promise<void> {
  const most = refused.size + refusedAtOnce;
  while (!closed() && refused.size < most) {
    if (await eraseNext(options, refused)) continue;
    refused.clear();
    return;
  }
}

/** False: nothing is left to do but of those who were refused. */
async function eraseNext({ pool, log, ...store }: EraserOptions, refused: Set<string>): Promise<boolean> {
  return transaction(pool, async (client) => {
    const { rows } = await client.query(
      `SELECT user_id FROM vault.erasure WHERE (${due}) AND user_id <> ALL($1::uuid[])
       ORDER BY erased_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
      [[...refused]],
    );
    if (!rows[0]) return false;
    const userId = rows[0].user_id as string;
    try {
      const objects = await eraseObjects(store, userId);
      crashPoint('media.erase.removed');
      // As of the begin of this transaction: what was uploaded while it went on is for the second look.
      await client.query('UPDATE vault.erasure SET objects_at = now() WHERE user_id = $1', [userId]);
      log.info({ userId, objects }, 'objects of an erased account removed');
    } catch (error) {
      // An outage is everybody's: the next would only wait for the same.
      if (!isRefused(error)) throw error;
      refused.add(userId);
      log.error({ err: error, userId }, 'objects of an erased account may not be removed');
    }
    return true;
  });
}
