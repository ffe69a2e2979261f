import { failure } from '../../../deploy/native/failure.ts';
import type { Queryable } from '../../../platform/postgres/pool.ts';
import { modelOf } from '../../../platform/postgres/serving.ts';

/** Where a dead letter lies: `likes:like-events/3/17`. It is one for all builds of its model. */
export interface Address {
  model: string;
  topic: string;
  partition: number;
  offset: bigint;
}

export interface Selection {
  model?: string;
  key?: string;
}

/** The parked records of one key, in one build of a model. */
export interface ParkedKey {
  consumer: string;
  model: string;
  topic: string;
  partition: number;
  key: string;
  records: number;
  /** Of the first record, which all others wait behind. */
  first: bigint;
  code: string;
  detail: string;
  attempts: number;
  parkedAt: Date;
  /** Somebody has asked for it to be tried again. */
  retry: boolean;
}

/** One parked record of one build. */
export interface Letter extends Address {
  consumer: string;
  key: string;
  value: Buffer;
  eventId: string | null;
  type: string | null;
  code: string;
  detail: string;
  attempts: number;
  retry: boolean;
  parkedAt: Date;
}

export function addressOf({ model, topic, partition, offset }: Address): string {
  return `${model}:${topic}/${partition}/${offset}`;
}

/** Throws in words for what is no address. */
export function parseAddress(text: string): Address {
  const parts = /^([a-z][a-z0-9-]*):([a-z-]+)\/(\d{1,5})\/(\d{1,18})$/.exec(text);
  if (!parts)
    throw failure(
      `${text} is no dead letter.`,
      'One is called like likes:like-events/3/17; npx emulsion dead-letters list names them.',
    );
  const [, model, topic, partition, offset] = parts;
  return { model: model!, topic: topic!, partition: Number(partition), offset: BigInt(offset!) };
}

/** SQL for `consumer` that keeps those of one model, its builds and all. */
const ofModel = (parameter: string): string =>
  String.raw`(${parameter}::text IS NULL OR regexp_replace(consumer, '\.v\d+$', '') = ${parameter})`;

/** Parked keys, those that have waited longest first, and how many keys and records there are in all. */
export async function readKeys(
  pool: Queryable,
  { model, key }: Selection,
  limit: number,
): Promise<{ keys: ParkedKey[]; allKeys: number; allRecords: number }> {
  const { rows } = await pool.query(
    `SELECT g.*, f.code, f.detail, f.attempts, count(*) OVER () AS all_keys, sum(g.records) OVER () AS all_records
     FROM (SELECT consumer, topic, partition, key, count(*) AS records, min("offset") AS first, min(parked_at) AS parked_at,
                  bool_or(retry) AS retry
           FROM engine.parked WHERE ${ofModel('$1')} AND ($2::text IS NULL OR key = $2) GROUP BY 1, 2, 3, 4) AS g
     JOIN engine.parked f USING (consumer, topic, partition, key)
     WHERE f."offset" = g.first ORDER BY g.parked_at, g.consumer, g.topic, g.partition, g.key LIMIT $3`,
    [model ?? null, key ?? null, limit],
  );
  return {
    keys: rows.map((row) => ({
      consumer: row.consumer,
      model: modelOf(row.consumer),
      topic: row.topic,
      partition: row.partition,
      key: row.key,
      records: row.records,
      first: BigInt(row.first),
      code: row.code,
      detail: row.detail,
      attempts: row.attempts,
      parkedAt: row.parked_at,
      retry: row.retry,
    })),
    allKeys: rows[0]?.all_keys ?? 0,
    allRecords: Number(rows[0]?.all_records ?? 0),
  };
}

/** Parked records in the order of the log; of one place when the address is whole. */
export async function readLetters(
  pool: Queryable,
  selection: Selection & Partial<Pick<Address, 'topic' | 'partition' | 'offset'>>,
  limit: number,
): Promise<Letter[]> {
  const { model, key, topic, partition, offset } = selection;
  const { rows } = await pool.query(
    `SELECT * FROM engine.parked
     WHERE ${ofModel('$1')} AND ($2::text IS NULL OR key = $2) AND ($3::text IS NULL OR topic = $3)
       AND ($4::int IS NULL OR partition = $4) AND ($5::bigint IS NULL OR "offset" = $5)
     ORDER BY consumer, topic, partition, "offset" LIMIT $6`,
    [model ?? null, key ?? null, topic ?? null, partition ?? null, offset?.toString() ?? null, limit],
  );
  return rows.map(letterOf);
}

// biome-ignore lint/suspicious/noExplicitAny: a row of engine.parked, whose columns are named here
function letterOf(row: any): Letter {
  const { consumer, topic, partition, key, value, type, code, detail, attempts, retry } = row;
  return {
    ...{ consumer, topic, partition, key, value, type, code, detail, attempts, retry },
    model: modelOf(consumer),
    offset: BigInt(row.offset),
    eventId: row.event_id,
    parkedAt: row.parked_at,
  };
}

/** The records of these letters, each once, whatever number of builds have parked it. */
export function eachOnce(letters: readonly Letter[]): Letter[] {
  return [...new Map(letters.map((letter) => [addressOf(letter), letter])).values()];
}
