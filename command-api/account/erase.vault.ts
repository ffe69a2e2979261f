import type { Client, Pool, Queryable } from '../../platform/postgres/pool.ts';

/** Days that nobody else gets the username of who was erased (F-ID11 holds that of who is renamed as long). */
const heldDays = 14;
/** Minutes after which no request, upload or token from before an erasure can bring anything of it any more. */
const settledMinutes = 20;
const sweepBatch = 100;
const claimBatch = 1_000;

export interface ErasedAccount {
  userId: string;
  /** Of UserErased. */
  eventId: string;
  /** Milliseconds. */
  time: number;
}

/**
 * Removes all that the vault has of an account, the data key first of all: from the commit on nothing personal of it in
 * the log can be read. The username is held for a while, so that nobody passes for who has just gone; the email is free
 * at once. What is there already is left, so a repeat and a restore may do it again.
 */
export async function forgetAccount(client: Client, { userId, eventId, time }: ErasedAccount): Promise<void> {
  await client.query('DELETE FROM vault.data_key WHERE owner = $1', [userId]);
  await client.query('DELETE FROM vault.credential WHERE user_id = $1', [userId]);
  await client.query(`DELETE FROM vault.claim WHERE user_id = $1 AND kind <> 'username'`, [userId]);
  await client.query(
    `UPDATE vault.claim SET free_at = to_timestamp($2::double precision / 1000) + make_interval(days => $3)
     WHERE user_id = $1 AND free_at IS NULL`,
    [userId, time, heldDays],
  );
  await forgetLeftovers(client, [userId]);
  await client.query(
    'INSERT INTO vault.erasure (user_id, event_id) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING',
    [userId, eventId],
  );
}

/** What a request that was under way may still have brought: sessions, kept answers, and records that are in the log. */
async function forgetLeftovers(client: Queryable, userIds: readonly string[]): Promise<void> {
  await client.query('DELETE FROM vault.session WHERE user_id = ANY($1::uuid[])', [userIds]);
  await client.query('DELETE FROM vault.idempotency WHERE actor = ANY($1::text[])', [userIds]);
  await client.query(
    `DELETE FROM vault.idempotency WHERE actor = '' AND minted ->> 'newId' = ANY($1::text[])`,
    [userIds],
  );
  await client.query(
    `DELETE FROM vault.outbox o WHERE key = ANY($1::text[]) AND relayed_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM vault.erasure e WHERE e.event_id = o.event_id)`,
    [userIds],
  );
}

/** Goes over the erasures that can bring nothing more once again, in bounded batches. Gives how many those were. */
export async function sweepErasures(pool: Pool): Promise<number> {
  const { rows } = await pool.query(
    `SELECT user_id FROM vault.erasure
     WHERE rows_at IS NULL AND erased_at < now() - make_interval(mins => $1) ORDER BY erased_at LIMIT $2`,
    [settledMinutes, sweepBatch],
  );
  const userIds = rows.map((row) => row.user_id as string);
  if (userIds.length === 0) return 0;
  await forgetLeftovers(pool, userIds);
  await pool.query('UPDATE vault.erasure SET rows_at = now() WHERE user_id = ANY($1::uuid[])', [userIds]);
  return userIds.length;
}

/** Frees names that were held long enough, in bounded batches. */
export async function sweepHeldNames(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM vault.claim WHERE (kind, value_hmac) IN (
       SELECT kind, value_hmac FROM vault.claim WHERE free_at < now() LIMIT $1)`,
    [claimBatch],
  );
  return rowCount ?? 0;
}
