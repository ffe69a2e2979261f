import { validate as isUuid } from 'uuid';
import type { Queryable } from './pool.ts';

/** A record that fails for good, or waits behind one: the log keeps its bytes, this says where and why. */
export interface ParkedRecord {
  topic: string;
  partition: number;
  offset: bigint;
  key: string;
  eventId: string | null;
  /** Stable: undecodable, violates_constraint, behind_parked_key, unexpected. */
  code: string;
  /** For an operator; never holds a value of the record, which might be personal. */
  detail: string;
}

const detailLength = 500;

/** Keeps them for an operator, in the transaction that saves the position behind them (DESIGN §2 rule 6). */
export async function parkRecords(
  client: Queryable,
  consumer: string,
  records: readonly ParkedRecord[],
): Promise<void> {
  if (records.length === 0) return;
  await client.query(
    `INSERT INTO engine.parked (consumer, topic, partition, "offset", key, event_id, code, detail)
     SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bigint[], $5::text[], $6::uuid[], $7::text[], $8::text[])
     ON CONFLICT DO NOTHING`,
    [
      consumer,
      records.map((record) => record.topic),
      records.map((record) => record.partition),
      records.map((record) => record.offset.toString()),
      records.map((record) => storable(record.key)),
      records.map((record) => (isUuid(record.eventId) ? record.eventId : null)),
      records.map((record) => record.code),
      records.map((record) => storable(record.detail).slice(0, detailLength)),
    ],
  );
}

/** Postgres takes no NUL in text, and what does not decode may hold anything. */
export function storable(foreign: string): string {
  return foreign.replaceAll('\0', '');
}
