import type { LogRecord, PartitionBatch } from '../../platform/log/consumer.ts';
import {
  type ParkedRecord,
  parkedAs,
  parkRecords,
  storable,
  type TriedLetters,
} from '../../platform/postgres/parked.ts';
import { type Queryable, sqlState } from '../../platform/postgres/pool.ts';
import type { Parking } from './decoding.ts';
import { Unappliable } from './model.ts';

/**
 * What no retry mends. The data itself is wrong (classes 22 and 23), is more than an index takes (54000), or says one row
 * in two spellings of its key (21000): halving parts these, and nothing is parked.
 */
const wrongData = /^(2[23]...|54000|21000)$/;

/** Whether the records are at fault: then the one that is gets parked. An outage never is. */
export function isDeterministic(error: unknown): boolean {
  return error instanceof Unappliable || wrongData.test(sqlState(error) ?? '');
}

const idOf = (record: { topic: string; partition: number; key: string }): string =>
  `${record.topic}/${record.partition}/${storable(record.key)}`;

/**
 * Which of these records wait behind a parked one of their key. For parked records that are tried again only those
 * before them count that are not tried with them.
 */
export async function parkedKeys(
  client: Queryable,
  consumer: string,
  batches: readonly PartitionBatch[],
): Promise<(record: LogRecord) => boolean> {
  const places = [batches.map((b) => b.topic), batches.map((b) => b.partition)];
  const any = await client.query(
    `SELECT EXISTS (SELECT FROM engine.parked p JOIN unnest($2::text[], $3::int[]) AS n (topic, partition)
       USING (topic, partition) WHERE p.consumer = $1) AS parked`,
    [consumer, ...places],
  );
  if (!any.rows[0].parked) return () => false;
  const keys = new Set(batches.flatMap(({ records }) => records.map(({ key }) => storable(key))));
  const tried = batches.flatMap(({ unparking, records }) => (unparking ? records : []));
  const { rows } = await client.query(
    `SELECT p.topic, p.partition, p.key, min(p."offset") AS first FROM engine.parked p
     JOIN unnest($2::text[], $3::int[]) AS n (topic, partition) USING (topic, partition)
     WHERE p.consumer = $1 AND p.key = ANY($4::text[]) AND p."offset" <> ALL($5::bigint[]) GROUP BY 1, 2, 3`,
    [consumer, ...places, [...keys], tried.map(({ offset }) => offset.toString())],
  );
  const first = new Map(rows.map((row) => [idOf(row), BigInt(row.first)]));
  // Only what comes after: a repeated round finds its own parked record here, and those before it were applied.
  return (record) => first.size > 0 && record.offset >= (first.get(idOf(record)) ?? record.offset + 1n);
}

/** Writes parked records in the transaction of their position. */
export function park(client: Queryable, consumer: string, parkings: readonly Parking[]): Promise<void> {
  return parkRecords(client, consumer, parkings.map(asParked));
}

function asParked({ record, eventId, code, detail }: Parking): ParkedRecord {
  return parkedAs(record, { code, detail, ...(eventId && { eventId }) });
}

/** How parked records ended that were tried again; null for a round of the log. */
export function triedLetters(
  batches: readonly PartitionBatch[],
  parkings: readonly Parking[],
): TriedLetters | null {
  if (!batches[0]?.unparking) return null;
  const held = new Set(parkings.map(({ record }) => record.offset));
  return {
    through: batches[0].records.filter(({ offset }) => !held.has(offset)),
    failed: parkings.filter(isFailure).map(asParked),
    behind: parkings.filter((parking) => !isFailure(parking)).map(({ record }) => record),
  };
}

/** Fails by itself, and does not only wait behind one that does. */
export function isFailure({ code }: Parking): boolean {
  return code !== 'behind_parked_key';
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
      const [before, after] = [batch.records.slice(0, here), batch.records.slice(here)];
      // Parked records lie before the position, which they do not move.
      first.push({ ...batch, records: before, ...(batch.unparking ? {} : { nextOffset: cut }) });
      second.push({ ...batch, records: after, ...(batch.unparking ? {} : { firstOffset: cut }) });
    }
  }
  return [first, second];
}
