import type { LogRecord, PartitionBatch } from '../../platform/log/consumer.ts';
import { parkRecords, storable } from '../../platform/postgres/parked.ts';
import { type Queryable, sqlState } from '../../platform/postgres/pool.ts';
import type { Parking } from './decoding.ts';

/** True for what no retry mends: the data itself is wrong (SQLSTATE classes 22 and 23). An outage never is. */
export function isDeterministic(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '');
}

const idOf = (record: { topic: string; partition: number; key: string }): string =>
  `${record.topic}/${record.partition}/${storable(record.key)}`;

/** Keys of these partitions that have parked records: their later events wait behind them. */
export async function parkedKeys(
  client: Queryable,
  consumer: string,
  batches: readonly PartitionBatch[],
): Promise<(record: LogRecord) => boolean> {
  const { rows } = await client.query(
    `SELECT p.topic, p.partition, p.key, min(p."offset") AS first FROM engine.parked p
     JOIN unnest($2::text[], $3::int[]) AS n (topic, partition) USING (topic, partition)
     WHERE p.consumer = $1 GROUP BY 1, 2, 3`,
    [consumer, batches.map((b) => b.topic), batches.map((b) => b.partition)],
  );
  const first = new Map(rows.map((row) => [idOf(row), BigInt(row.first)]));
  // Only what comes after: a repeated round finds its own parked record here, and those before it were applied.
  return (record) => first.size > 0 && record.offset >= (first.get(idOf(record)) ?? record.offset + 1n);
}

/** Writes parked records in the transaction of their position. */
export function park(client: Queryable, consumer: string, parkings: readonly Parking[]): Promise<void> {
  return parkRecords(
    client,
    consumer,
    parkings.map(({ record, eventId, code, detail }) => ({ ...record, eventId, code, detail })),
  );
}

/** Two halves of a round, each with its own positions, to find the record that fails. */
export function halves(batches: readonly PartitionBatch[]): [PartitionBatch[], PartitionBatch[]] {
  let room = Math.ceil(batches.reduce((sum, batch) => sum + batch.records.length, 0) / 2);
  const first: PartitionBatch[] = [];
  const second: PartitionBatch[] = [];
  for (const batch of batches) {
    const here = Math.min(room, batch.records.length);
    room -= here;
    if (here === batch.records.length) first.push(batch);
    else if (here === 0) second.push(batch);
    else {
      const cut = batch.records[here]!.offset;
      first.push({ ...batch, records: batch.records.slice(0, here), nextOffset: cut });
      second.push({ ...batch, records: batch.records.slice(here), firstOffset: cut });
    }
  }
  return [first, second];
}
