import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { from as copyFrom } from 'pg-copy-streams';
import { defaultMaxRecords } from '../../platform/log/intake.ts';
import { topicName } from '../../platform/log/topics.ts';
import type { Client } from '../../platform/postgres/pool.ts';
import type { Run } from './figures.ts';
import type { LikeFact } from './likes.ts';
import type { BenchWorld } from './world.ts';

const likeTables = readFileSync(path.resolve(import.meta.dirname, '../../schemas/content/like.sql'), 'utf8');

/** Reads a topic by kafkajs and does nothing with it. */
export async function consumeRaw(world: BenchWorld, topic: string, records: number): Promise<Run> {
  const consumer = world.kafka.consumer({
    groupId: `${world.prefix}raw-${randomUUID()}`,
    maxWaitTimeInMs: 100,
    maxBytesPerPartition: 4_194_304,
  });
  await consumer.connect();
  world.atEnd(() => consumer.disconnect());
  await consumer.subscribe({ topic: topicName(world.prefix, topic), fromBeginning: true });
  let began = 0;
  let read = 0;
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    // From the first request on: joining a group is no reading.
    consumer.on(consumer.events.FETCH_START, () => {
      began ||= performance.now();
    });
    const eachBatch = async ({ batch }: { batch: { messages: unknown[] } }): Promise<void> => {
      read += batch.messages.length;
      if (read >= records) resolve();
    };
    consumer.run({ autoCommit: false, eachBatch }).catch(reject);
  });
  const seconds = (performance.now() - began) / 1_000;
  await consumer.disconnect();
  return { count: records, seconds };
}

/** The tables of likes as the model has them, in a schema of their own that goes after the work. */
async function withLikeTables<T>(world: BenchWorld, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await world.owner.connect();
  try {
    await client.query('CREATE SCHEMA ceiling; SET search_path = ceiling');
    return await work(client);
  } finally {
    await client.query('ROLLBACK; RESET search_path; DROP SCHEMA ceiling CASCADE').catch(() => {});
    client.release();
  }
}

/** As many as a round of the projectors. */
const batchRows = defaultMaxRecords;

const upsertAndCount = `
  WITH changed AS (
    INSERT INTO post_like AS t (post_id, liker_id, live, event_time, event_id)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::timestamptz[], $5::uuid[]) ORDER BY 1, 2
    ON CONFLICT (post_id, liker_id) DO UPDATE
      SET live = excluded.live, event_time = excluded.event_time, event_id = excluded.event_id
      WHERE (t.event_time, t.event_id) < (excluded.event_time, excluded.event_id)
    RETURNING new.post_id, new.live::int - coalesce(old.live, false)::int AS moved)
  INSERT INTO post_like_count AS c (post_id, likes)
  SELECT post_id, sum(moved) FROM changed GROUP BY post_id ORDER BY post_id
  ON CONFLICT (post_id) DO UPDATE SET likes = c.likes + excluded.likes`;

/** The row work of the likes model in SQL alone: upsert and counters, a transaction for each batch. */
export async function upsertLikes(world: BenchWorld, facts: Iterable<LikeFact>): Promise<Run> {
  // As text made beforehand, so that what is measured is Postgres.
  const batches = [...batchesOf(newestOfEach(facts))].map((batch) => [
    `{${batch.map((fact) => fact.postId).join()}}`,
    `{${batch.map((fact) => fact.likerId).join()}}`,
    `{${batch.map((fact) => (fact.live ? 't' : 'f')).join()}}`,
    `{${batch.map((fact) => isoTime(fact.at)).join()}}`,
    `{${batch.map((fact) => fact.eventId).join()}}`,
  ]);
  return withLikeTables(world, async (client) => {
    await client.query(likeTables);
    await settleDisk(client);
    const rounds: number[] = [];
    const began = performance.now();
    let count = 0;
    for (const batch of batches) {
      const round = performance.now();
      await client.query('BEGIN');
      await client.query(upsertAndCount, batch);
      await client.query('COMMIT');
      rounds.push(performance.now() - round);
      count += batchRows;
    }
    return { count, seconds: (performance.now() - began) / 1_000, rounds };
  });
}

/** One statement must not touch a row twice. */
function* newestOfEach(facts: Iterable<LikeFact>): Generator<LikeFact> {
  let seen = new Set<string>();
  let taken = 0;
  for (const fact of facts) {
    const key = `${fact.postId}${fact.likerId}`;
    if (seen.has(key)) continue;
    seen.add(key);
    yield fact;
    taken += 1;
    if (taken % batchRows === 0) seen = new Set();
  }
}

/** Whole batches only. */
function* batchesOf(facts: Iterable<LikeFact>): Generator<LikeFact[]> {
  let batch: LikeFact[] = [];
  for (const fact of facts) {
    batch.push(fact);
    if (batch.length < batchRows) continue;
    yield batch;
    batch = [];
  }
}

/** COPY of the same rows into a table without anything, then its primary key. */
export async function copyLikes(world: BenchWorld, facts: Iterable<LikeFact>): Promise<Run> {
  const chunks: string[] = [];
  let count = 0;
  const seen = new Set<string>();
  for (const { postId, likerId, live, at, eventId } of facts) {
    if (seen.size === seen.add(`${postId}${likerId}`).size) continue;
    if (count % batchRows === 0) chunks.push('');
    chunks[chunks.length - 1] += `${postId}\t${likerId}\t${live ? 't' : 'f'}\t${isoTime(at)}\t${eventId}\n`;
    count += 1;
  }
  return withLikeTables(world, async (client) => {
    await client.query(
      'CREATE TABLE copied (post_id uuid, liker_id uuid, live boolean, event_time timestamptz, event_id uuid)',
    );
    await settleDisk(client);
    const began = performance.now();
    const stream = client.query(copyFrom('COPY copied FROM STDIN'));
    await new Promise<void>((resolve, reject) => {
      stream.on('error', reject).on('finish', () => resolve());
      for (const chunk of chunks) stream.write(chunk);
      stream.end();
    });
    await client.query('ALTER TABLE copied ADD PRIMARY KEY (post_id, liker_id)');
    return { count, seconds: (performance.now() - began) / 1_000 };
  });
}

/** What runs before has written is on disk before the next begins, where this role may ask for it. */
export async function settleDisk(client: Pick<Client, 'query'>): Promise<void> {
  await client.query('CHECKPOINT').catch(() => {});
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
