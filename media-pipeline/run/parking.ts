import { headerOf, type LogRecord } from '../../platform/log/record.ts';
import { parkRecords } from '../../platform/postgres/parked.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';

/** A record that no retry will get through, and why. */
export interface Stuck {
  record: LogRecord;
  error: Error;
}

/** Only the record is parked and nothing behind it: no upload depends on another of the same owner. */
export function park(client: Queryable, consumer: string, stuck: readonly Stuck[]): Promise<void> {
  return parkRecords(
    client,
    consumer,
    stuck.map(({ record, error }) => ({
      ...record,
      eventId: headerOf(record, 'ce_id') ?? null,
      code: error.name === 'Undecodable' ? 'undecodable' : 'unexpected',
      detail: error.message,
    })),
  );
}
