import type { Queryable } from '../postgres/pool.ts';

/** Whether an account was erased of late, while access tokens of it may still be about. */
export type IsErased = (userId: string) => Promise<boolean>;

/** Facts that protect people are never older than this, in milliseconds (DESIGN §5). */
const oldestMs = 1_000;
/** Milliseconds after which it is looked again, while whoever asks is answered by the look before. */
const lookAfterMs = 400;
/** Minutes that an access token lives at most, and a little. */
const tokenMinutes = 20;

/** Answers from one look for all who ask, so that it costs a request nothing. Throws while Postgres can't be asked. */
export function watchErasures(db: Queryable): IsErased {
  let known = { at: Number.NEGATIVE_INFINITY, userIds: new Set<string>() };
  let looking: Promise<void> | null = null;

  const look = async (): Promise<void> => {
    const at = performance.now();
    const { rows } = await db.query(
      'SELECT user_id FROM vault.erasure WHERE erased_at > now() - make_interval(mins => $1)',
      [tokenMinutes],
    );
    known = { at, userIds: new Set(rows.map((row) => row.user_id)) };
  };
  const lookOnce = (): Promise<void> => {
    looking ??= look().finally(() => {
      looking = null;
    });
    return looking;
  };
  return async (userId) => {
    const age = performance.now() - known.at;
    if (age > oldestMs) await lookOnce();
    else if (age > lookAfterMs) lookOnce().catch(() => {});
    return known.userIds.has(userId);
  };
}

/** Which of these accounts were ever erased. */
export async function erasedAmong(db: Queryable, userIds: readonly string[]): Promise<Set<string>> {
  if (userIds.length === 0) return new Set();
  const { rows } = await db.query('SELECT user_id FROM vault.erasure WHERE user_id = ANY($1::uuid[])', [
    [...new Set(userIds)],
  ]);
  return new Set(rows.map((row) => row.user_id));
}
