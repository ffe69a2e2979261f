import type { EncodedRecord } from '../../platform/log/appender.ts';
import type { Position } from '../../platform/log/position.ts';
import type { Client, Queryable } from '../../platform/postgres/pool.ts';

/** An event of a guarded command, committed with its claim and not known to be in the log yet. */
export interface OutboxRow {
  seq: number;
  eventId: string;
  record: EncodedRecord;
}

/** Rows that one round of the relay takes. */
const roundRows = 500;
/** Hours that a relayed row is kept: longer than a repeat of its request is recognised. */
const keptHours = 72;
const sweepBatch = 1_000;
/** Milliseconds one waits for another process that relays. */
const lockTimeout = '1s';

/** Puts the event beside its claim, in the claim's transaction (DESIGN §4). */
export async function insertOutbox(client: Client, eventId: string, record: EncodedRecord): Promise<void> {
  await client.query(
    'INSERT INTO vault.outbox (event_id, topic, key, value, headers) VALUES ($1, $2, $3, $4, $5)',
    [eventId, record.topic, record.key, record.value, JSON.stringify(record.headers)],
  );
}

/**
 * One relayer at a time, for as long as this transaction lives: a killed process loses the lock with its connection, a
 * frozen one keeps it until it goes on. Throws 55P03 when another process holds it too long.
 */
export async function lockRelay(client: Client): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = '${lockTimeout}'`);
  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('emulsion outbox relay', 0))`);
}

/** The oldest rows that wait. Read after the lock is held, so that nothing relayed meanwhile is among them. */
export async function readWaiting(client: Queryable): Promise<OutboxRow[]> {
  const { rows } = await client.query(
    `SELECT seq, event_id, topic, key, value, headers FROM vault.outbox
     WHERE relayed_at IS NULL ORDER BY seq LIMIT $1`,
    [roundRows],
  );
  return rows.map((row) => ({
    seq: row.seq,
    eventId: row.event_id,
    record: { topic: row.topic, key: row.key, value: row.value, headers: row.headers },
  }));
}

export async function anyWaiting(pool: Queryable): Promise<boolean> {
  const { rows } = await pool.query('SELECT FROM vault.outbox WHERE relayed_at IS NULL LIMIT 1');
  return rows.length > 0;
}

export async function markRelayed(client: Client, relayed: [OutboxRow, Position][]): Promise<void> {
  await client.query(
    `UPDATE vault.outbox o SET relayed_at = now(), partition = r.partition, "offset" = r."offset"
     FROM unnest($1::bigint[], $2::int[], $3::bigint[]) AS r (seq, partition, "offset") WHERE o.seq = r.seq`,
    [
      relayed.map(([row]) => row.seq),
      relayed.map(([, position]) => position.partition),
      relayed.map(([, position]) => position.offset),
    ],
  );
}

/** Where the relayed ones among these events are in the log. */
export async function findRelayed(
  pool: Queryable,
  eventIds: readonly string[],
): Promise<Map<string, Position>> {
  const { rows } = await pool.query(
    `SELECT event_id, topic, partition, "offset" FROM vault.outbox
     WHERE event_id = ANY($1::uuid[]) AND relayed_at IS NOT NULL`,
    [eventIds],
  );
  return new Map(
    rows.map((row) => [
      row.event_id,
      { topic: row.topic, partition: row.partition, offset: BigInt(row.offset) },
    ]),
  );
}

/** Deletes rows that are in the log for long, in bounded batches. Gives how many went. */
export async function sweepOutbox(pool: Queryable): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM vault.outbox WHERE seq IN (
       SELECT seq FROM vault.outbox WHERE relayed_at < now() - make_interval(hours => $1) ORDER BY seq LIMIT $2)`,
    [keptHours, sweepBatch],
  );
  return rowCount ?? 0;
}
