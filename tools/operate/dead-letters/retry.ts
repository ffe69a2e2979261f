import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type Pool, type Queryable, transaction } from '../../../platform/postgres/pool.ts';
import { operatorName } from '../ask.ts';
import { writeAudit } from './audit.ts';
import type { ParkedKey, Selection } from './letters.ts';

interface KeyPlace {
  topic: string;
  partition: number;
  key: string;
}

/** A key as one build of its model has it. */
export interface KeyOfBuild extends KeyPlace {
  consumer: string;
}

/** Asks that a key be tried again, in these builds. */
export async function flagKey(
  client: Queryable,
  consumers: readonly string[],
  { topic, partition, key }: KeyPlace,
): Promise<void> {
  await client.query(
    `UPDATE engine.parked SET retry = true WHERE consumer = ANY($1) AND topic = $2 AND partition = $3 AND key = $4`,
    [consumers, topic, partition, key],
  );
}

/** Asks that these keys be tried again, with one line in the audit for each model. */
export async function askRetry(pool: Pool, keys: readonly ParkedKey[], asked: Selection): Promise<void> {
  await transaction(pool, async (client) => {
    for (const parked of keys) await flagKey(client, [parked.consumer], parked);
    for (const [model, own] of Map.groupBy(keys, (parked) => parked.model))
      await auditRetry(client, model, own, asked);
  });
}

function auditRetry(
  client: Client,
  model: string,
  keys: readonly ParkedKey[],
  asked: Selection,
): Promise<void> {
  const records = recordsIn(keys);
  return writeAudit(client, {
    kind: 'retry',
    model,
    arguments: { ...asked, keys: keys.length, records },
    askedBy: operatorName(),
    detail: `${records} records of ${keys.length} keys are tried again.`,
  });
}

export function recordsIn(keys: readonly Pick<ParkedKey, 'records'>[]): number {
  return keys.reduce((sum, { records }) => sum + records, 0);
}

/** How a retry has ended, or not, for each of the keys that it was asked for. */
export interface Tried {
  /** Nothing of the key is parked any more. */
  through: number;
  /** Still fails. */
  parked: number;
  /** Not tried yet: nobody holds the partition, the model is paused, or there is much to do. */
  waiting: number;
}

const lookEveryMs = 200;
/**
 * Milliseconds without any progress after which the rest is left to whoever comes. For ten seconds Kafka keeps the
 * partitions of a process that died; who retries has often just started another.
 */
const patienceMs = 30_000;

/** Waits for what becomes of these keys, as long as there is progress. */
export async function awaitRetry(pool: Queryable, keys: readonly KeyOfBuild[]): Promise<Tried> {
  for (let moved = Date.now(), before = Number.NaN; ; await sleep(lookEveryMs)) {
    const { tried, records } = await standOf(pool, keys);
    if (tried.waiting === 0 || Date.now() - moved > patienceMs) return tried;
    if (records !== before) moved = Date.now();
    before = records;
  }
}

async function standOf(
  pool: Queryable,
  keys: readonly KeyOfBuild[],
): Promise<{ tried: Tried; records: number }> {
  const { rows } = await pool.query(
    `SELECT count(p.key) AS records, coalesce(bool_or(p.retry), false) AS waits
     FROM unnest($1::text[], $2::text[], $3::int[], $4::text[]) AS n (consumer, topic, partition, key)
     LEFT JOIN engine.parked p USING (consumer, topic, partition, key)
     GROUP BY n.consumer, n.topic, n.partition, n.key`,
    [
      keys.map(({ consumer }) => consumer),
      keys.map(({ topic }) => topic),
      keys.map(({ partition }) => partition),
      keys.map(({ key }) => key),
    ],
  );
  const waiting = rows.filter(({ waits }) => waits).length;
  const through = rows.filter(({ records }) => records === 0).length;
  return {
    tried: { through, waiting, parked: rows.length - through - waiting },
    records: rows.reduce((sum, row) => sum + row.records, 0),
  };
}
