import { validate as isUuid } from 'uuid';
import { headerOf, type LogRecord } from '../log/record.ts';
import { crashPoint } from '../process/crash-points.ts';
import type { Queryable } from './pool.ts';
import { type Announcement, positionChannel } from './positions.ts';

/** A record that fails for good, or waits behind one. */
export interface ParkedRecord {
  topic: string;
  partition: number;
  offset: bigint;
  key: string;
  /** As it lies in the log: personal fields are encrypted. */
  value: Buffer;
  eventId: string | null;
  /** Of the event, and the trace: as the headers said. */
  type: string | null;
  traceparent: string | null;
  /** Stable: undecodable, violates_constraint, behind_parked_key, kills_process, unexpected. */
  code: string;
  /** For an operator; never holds a value of the record, which might be personal. */
  detail: string;
}

/** Where a record lies; topic without prefix. */
export interface RecordPlace {
  topic: string;
  partition: number;
  offset: bigint;
}

/** A record as it is parked, with what its headers say unless `why` knows better. */
export function parkedAs(
  record: LogRecord,
  why: Pick<ParkedRecord, 'code' | 'detail'> & { eventId?: string },
): ParkedRecord {
  const said = (name: string): string | null => headerOf(record, name) ?? null;
  return {
    ...record,
    eventId: said('ce_id'),
    type: said('ce_type'),
    traceparent: said('traceparent'),
    ...why,
  };
}

/**
 * Keeps them for an operator, in the transaction that saves the position behind them (DESIGN §2 rule 6). One that is
 * parked already, because its round is repeated, stays as it is.
 */
export async function parkRecords(
  client: Queryable,
  consumer: string,
  records: readonly ParkedRecord[],
): Promise<void> {
  if (records.length === 0) return;
  await client.query(
    `INSERT INTO engine.parked (consumer, topic, partition, "offset", key, value, type, traceparent, event_id, code, detail)
     SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bigint[], $5::text[], $6::bytea[], $7::text[], $8::text[],
       $9::uuid[], $10::text[], $11::text[])
     ON CONFLICT DO NOTHING`,
    [
      consumer,
      ...placeParams(records),
      records.map((record) => storable(record.key)),
      records.map((record) => record.value),
      records.map(({ type }) => type && storable(type)),
      records.map(({ traceparent }) => traceparent && storable(traceparent)),
      records.map((record) => (isUuid(record.eventId) ? record.eventId : null)),
      records.map((record) => record.code),
      records.map((record) => storable(record.detail)),
    ],
  );
  // With the commit, so before anybody hears that the position is passed.
  const said = { consumer, positions: [], parked: true } satisfies Announcement;
  await client.query('SELECT pg_notify($1, $2)', [positionChannel, JSON.stringify(said)]);
}

/** Partitions of the consumer in which a retry is asked for. */
export async function partitionsToRetry(
  pool: Queryable,
  consumer: string,
): Promise<{ topic: string; partition: number }[]> {
  const { rows } = await pool.query(
    'SELECT DISTINCT topic, partition FROM engine.parked WHERE consumer = $1 AND retry ORDER BY 1, 2',
    [consumer],
  );
  return rows;
}

/** Keys of one look; the next one brings more. */
const keysAtOnce = 100;
const bytesAtOnce = 4_000_000;

/**
 * The first parked records of one partition whose keys are to be tried again, in the order of the log. What is behind
 * a record of such a key comes too, since it waits for nothing else. They have the headers that rounds look at.
 */
export async function readLetters(
  pool: Queryable,
  consumer: string,
  { topic, partition }: { topic: string; partition: number },
  limit: number,
): Promise<LogRecord[]> {
  const { rows } = await pool.query(
    `SELECT * FROM (
       SELECT "offset", key, value, type, traceparent, event_id,
              sum(length(value)) OVER (ORDER BY "offset") - length(value) AS before
       FROM engine.parked WHERE consumer = $1 AND topic = $2 AND partition = $3 AND key IN (
         SELECT DISTINCT key FROM engine.parked
         WHERE consumer = $1 AND topic = $2 AND partition = $3 AND retry ORDER BY key LIMIT ${keysAtOnce})
       ORDER BY "offset" LIMIT $4) AS p
     WHERE before < ${bytesAtOnce} ORDER BY "offset"`,
    [consumer, topic, partition, limit],
  );
  return rows.map((row) => ({
    topic,
    partition,
    offset: BigInt(row.offset),
    key: row.key,
    value: row.value,
    headers: headersOf(row),
  }));
}

function headersOf(row: {
  type: string | null;
  traceparent: string | null;
  event_id: string | null;
}): Record<string, string> {
  const headers = { ce_id: row.event_id, ce_type: row.type, traceparent: row.traceparent };
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== null)) as Record<
    string,
    string
  >;
}

/** How letters of one partition ended that were tried again. */
export interface TriedLetters {
  /** Applied, or discarded by an operator. */
  through: readonly LogRecord[];
  failed: readonly ParkedRecord[];
  /** Wait behind those that failed. */
  behind: readonly LogRecord[];
}

/**
 * Ends a retry in the transaction that makes it durable: what came through is a letter no more, and what is left of its
 * key is tried next; a key with a failure waits for an operator again.
 */
export async function settleLetters(client: Queryable, consumer: string, tried: TriedLetters): Promise<void> {
  const { through, failed, behind } = tried;
  const place = [...through, ...failed, ...behind][0];
  if (!place) return;
  const { topic, partition } = place;
  const halted = new Set([...failed, ...behind].map(({ key }) => storable(key)));
  const freed = [...new Set(through.map(({ key }) => storable(key)))].filter((key) => !halted.has(key));
  await client.query(
    'DELETE FROM engine.parked WHERE consumer = $1 AND topic = $2 AND partition = $3 AND "offset" = ANY($4::bigint[])',
    [consumer, topic, partition, through.map(({ offset }) => offset.toString())],
  );
  await client.query(
    `UPDATE engine.parked p SET code = n.code, detail = n.detail, attempts = p.attempts + 1
     FROM unnest($4::bigint[], $5::text[], $6::text[]) AS n ("offset", code, detail)
     WHERE p.consumer = $1 AND p.topic = $2 AND p.partition = $3 AND p."offset" = n."offset"`,
    [
      consumer,
      topic,
      partition,
      failed.map(({ offset }) => offset.toString()),
      failed.map(({ code }) => code),
      failed.map(({ detail }) => storable(detail)),
    ],
  );
  await client.query(
    `UPDATE engine.parked SET retry = key = ANY($5::text[])
     WHERE consumer = $1 AND topic = $2 AND partition = $3 AND key = ANY($4::text[])`,
    [consumer, topic, partition, [...halted, ...freed], freed],
  );
  crashPoint('letters.settled');
}

/** Takes back the retry of a record that a process died of, and of those behind it: an operator must look first. */
export async function withdrawLetter(
  pool: Queryable,
  consumer: string,
  { topic, partition, offset }: RecordPlace,
  detail: string,
): Promise<void> {
  await pool.query(
    `WITH killer AS (
       UPDATE engine.parked SET code = 'kills_process', detail = $5, attempts = attempts + 1, retry = false
       WHERE consumer = $1 AND topic = $2 AND partition = $3 AND "offset" = $4 RETURNING key)
     UPDATE engine.parked p SET retry = false FROM killer k
     WHERE p.consumer = $1 AND p.topic = $2 AND p.partition = $3 AND p.key = k.key AND p."offset" <> $4`,
    [consumer, topic, partition, offset.toString(), storable(detail)],
  );
}

/** Characters of a key, type, trace or detail that are kept: an index takes no more than 2,700 bytes. */
const storedLength = 500;

/**
 * Postgres takes no NUL in text and no endless key, and what does not decode may hold anything. Keys that are the same
 * for so long wait for each other.
 */
export function storable(foreign: string): string {
  return foreign.slice(0, storedLength).replaceAll('\0', '').toWellFormed();
}

function placeParams(places: readonly RecordPlace[]): unknown[] {
  return [
    places.map(({ topic }) => topic),
    places.map(({ partition }) => partition),
    places.map(({ offset }) => offset.toString()),
  ];
}
