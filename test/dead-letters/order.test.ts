import { randomInt } from 'node:crypto';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Appender, openAppender } from '../../platform/log/appender.ts';
import { connectKafka, type Kafka } from '../../platform/log/kafka.ts';
import { createTopics } from '../../platform/log/topics.ts';
import { savePositions } from '../../platform/postgres/positions.ts';
import { applyRound, type Installed, type RoundKind } from '../../projectors/engine/apply.ts';
import { type RunningModel, runInstalled } from '../../projectors/engine/runner.ts';
import { media } from '../../projectors/media/media.model.ts';
import type { EventOf } from '../../schemas/generated/events.ts';
import { topics } from '../../schemas/topics.ts';
import { openTestEngine, partitions, type TestEngine } from '../harness/engine.ts';
import { event } from '../harness/events.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
let kafka: Kafka;
let engine: TestEngine;
let installed: Installed;
let appender: Appender;
const running: RunningModel[] = [];

beforeAll(async () => {
  kit = await openProjectionKit();
  const base = await openTestEngine(kit);
  kafka = connectKafka({
    brokers: process.env.KAFKA_BROKERS!.split(','),
    clientId: base.prefix,
    log: base.log,
  });
  engine = { ...base, kafka };
  await createTopics(kafka, { prefix: engine.prefix, topics, partitions });
  appender = await openAppender({ kafka, prefix: engine.prefix, partitions, log: engine.log });
  installed = await kit.install(media);
  // What was applied, in the order of applying; and what can't be.
  await kit.pool.query('CREATE TABLE public.applied (n bigserial, key uuid NOT NULL, seq int NOT NULL)');
  await kit.pool.query('CREATE TABLE public.poison (seq int PRIMARY KEY)');
}, 60_000);

afterAll(async () => {
  await Promise.all(running.map((model) => model.close()));
  await appender?.close();
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: topics.map((topic) => `${engine.prefix}${topic}`) });
  await admin.disconnect();
  await kit.close();
});

/** Order decides here, as it never does in a model: each event is written down as it comes. */
const inOrder: RoundKind<void> = {
  fence: savePositions,
  async write(client, _installed, events) {
    const own = events as EventOf<'MediaUploaded'>[];
    const params = [own.map((e) => e.ownerId), own.map((e) => Number(e.objectKey))];
    await client.query(
      `INSERT INTO public.applied (key, seq)
       SELECT CASE WHEN p.seq IS NULL THEN e.key END, e.seq FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS e (key, seq, at)
       LEFT JOIN public.poison p ON p.seq = e.seq ORDER BY e.at`,
      params,
    );
  },
  inTransaction: async () => {},
  committed: async () => {},
};

function run(): RunningModel {
  const handle = async (batches: Parameters<typeof applyRound>[2]): Promise<void> => {
    await applyRound(engine, installed, batches, inOrder);
  };
  running.push(runInstalled(engine, installed, handle, { maxRecords: 50 }));
  return running.at(-1)!;
}

const keys = Array.from({ length: 4 }, () => v7());
const cycles = 20;
const patience = { timeout: 40_000, interval: 20 };

/** Some of what can't be applied can be from now on, and all that is parked is to be tried again. */
async function askAgain(): Promise<number> {
  await kit.pool.query('DELETE FROM public.poison WHERE random() < 0.7');
  return (await kit.pool.query('UPDATE engine.parked SET retry = true WHERE NOT retry')).rowCount ?? 0;
}

/** Letters that are still to be tried again, of those that were parked by then. */
async function askedFor(by: Date): Promise<number> {
  const { rowCount } = await kit.pool.query('SELECT FROM engine.parked WHERE retry AND parked_at <= $1', [
    by,
  ]);
  return rowCount ?? 0;
}

test('however often keys are parked and tried again while they go on, nothing of a key is overtaken', async () => {
  run();
  const appended = new Map<string, number[]>(keys.map((key) => [key, []]));
  let seq = 0;
  let over = false;
  const append = async (): Promise<void> => {
    const key = keys[randomInt(keys.length)]!;
    const number = seq++;
    if (number % 25 === 3) await kit.pool.query('INSERT INTO public.poison VALUES ($1)', [number]);
    const uploaded = event(
      'MediaUploaded',
      { mediaId: v7(), ownerId: key, objectKey: String(number) },
      Date.now(),
    );
    await appender.append(engine.codec.encode(uploaded, null));
    appended.get(key)!.push(number);
  };
  const writing = (async () => {
    // Slower than parked records are tried again: otherwise a key never comes to an end.
    while (!over) await Promise.all([append(), new Promise((resolve) => setTimeout(resolve, 5))]);
  })();

  let asked = 0;
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    // Somebody joins and leaves meanwhile: partitions change hands with letters under way.
    if (cycle === cycles / 4) run();
    if (cycle === cycles / 2) await running[0]!.close();
    await vi.waitFor(async () => expect(await askAgain()).toBeGreaterThan(0), patience);
    asked += 1;
    const { rows } = await kit.pool.query('SELECT max(parked_at) AS by FROM engine.parked');
    await vi.waitFor(async () => expect(await askedFor(rows[0].by)).toBe(0), patience);
  }
  over = true;
  await writing;
  await vi.waitFor(
    async () => {
      await kit.pool.query('DELETE FROM public.poison');
      await kit.pool.query('UPDATE engine.parked SET retry = true WHERE NOT retry');
      const { rows } = await kit.pool.query('SELECT count(*)::int AS applied FROM public.applied');
      expect(rows[0].applied).toBe(seq);
    },
    { timeout: 60_000, interval: 100 },
  );
  const { rows } = await kit.pool.query('SELECT key, seq FROM public.applied ORDER BY n');
  for (const key of keys)
    expect(rows.filter((row) => row.key === key).map((row) => row.seq)).toEqual(appended.get(key));
  expect(asked).toBe(cycles);
  expect((await kit.pool.query('SELECT FROM engine.parked')).rows).toEqual([]);
}, 180_000);
