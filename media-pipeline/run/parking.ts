import { validate as isUuid } from 'uuid';
import type { LogRecord } from '../../platform/log/consumer.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';

/** A record that no retry will get through, and why. */
export interface Stuck {
  record: LogRecord;
  error: Error;
}

/**
 * Keeps stuck records for an operator, in the transaction that saves the position behind them. Only the record is
 * parked and nothing behind it: no upload depends on another of the same owner.
 */
export async function park(client: Queryable, consumer: string, stuck: readonly Stuck[]): Promise<void> {
  for (const { record, error } of stuck) {
    await client.query(
      `INSERT INTO engine.parked (consumer, topic, partition, "offset", key, event_id, code, detail)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
      [
        consumer,
        record.topic,
        record.partition,
        record.offset.toString(),
        text(record.key),
        isUuid(record.headers.ce_id) ? record.headers.ce_id : null,
        error.name === 'Undecodable' ? 'undecodable' : 'unexpected',
        text(error.message.slice(0, 500)),
      ],
    );
  }
}

/** Postgres takes no NUL in text, and what does not decode may hold anything. */
function text(foreign: string): string {
  return foreign.replaceAll('\0', '');
}
