import type { LogRecord, PartitionBatch } from '../../platform/log/consumer.ts';
import { type ParkedRecord, parkedAs, parkRecords, settleLetters } from '../../platform/postgres/parked.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';

/** A record that no retry will get through, and why. */
export interface Stuck {
  record: LogRecord;
  error: Error;
}

/**
 * Parks what is stuck, and ends the retry of what was parked, with the positions of the round. Only the record is
 * parked and nothing behind it: no upload depends on another of the same owner.
 */
export async function settleStuck(
  client: Queryable,
  consumer: string,
  batches: readonly PartitionBatch[],
  stuck: readonly Stuck[],
): Promise<void> {
  const failed = stuck.map(asParked);
  if (!batches[0]?.unparking) return parkRecords(client, consumer, failed);
  const isStuck = (record: LogRecord): boolean => failed.some(({ offset }) => offset === record.offset);
  const through = batches[0].records.filter((record) => !isStuck(record));
  await settleLetters(client, consumer, { through, failed, behind: [] });
}

function asParked({ record, error }: Stuck): ParkedRecord {
  const code = error.name === 'Undecodable' ? 'undecodable' : 'unexpected';
  return parkedAs(record, { code, detail: error.message });
}
