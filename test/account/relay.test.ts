import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { insertOutbox, lockRelay } from '../../command-api/append/outbox.ts';
import { openRelay, type Relay } from '../../command-api/append/relay.ts';
import { type Appender, type EncodedRecord, openAppender } from '../../platform/log/appender.ts';
import { connectKafka, type Kafka } from '../../platform/log/kafka.ts';
import { createTopics } from '../../platform/log/topics.ts';
import { transaction } from '../../platform/postgres/pool.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { ana, ben, nth } from '../harness/events.ts';
import { readTopic } from '../harness/log.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

const prefix = `t${Math.random().toString(36).slice(2)}.`;
const log = createLogger('test', 'silent');
const [topic, absent] = ['user-events', 'absent-events'];
let kit: ProjectionKit;
let kafka: Kafka;
let appender: Appender;
let relay: Relay | undefined;
beforeAll(async () => {
  kit = await openProjectionKit();
  kafka = connectKafka({ brokers: process.env.KAFKA_BROKERS!.split(','), clientId: prefix, log });
  await createTopics(kafka, { prefix, topics: [topic], partitions: 3 });
  appender = await openAppender({ kafka, prefix, partitions: 3, log });
});
afterAll(async () => {
  await relay?.close();
  await appender?.close();
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [`${prefix}${topic}`] });
  await admin.disconnect();
  await kit?.close();
});
beforeEach(async () => {
  await relay?.close();
  relay = undefined;
  await kit.pool.query('DELETE FROM vault.outbox');
});

const recordOf = (id: string, key: string, into = topic): EncodedRecord => ({
  ...{ topic: into, key, value: Buffer.from(id) },
  headers: { ce_id: id, ce_type: 'Tried', traceparent: '' },
});
const commit = (id: string, key: string, into?: string): Promise<void> =>
  transaction(kit.pool, (client) => insertOutbox(client, id, recordOf(id, key, into)));
const open = (): Relay => {
  relay = openRelay({ pool: kit.pool, appender, log });
  return relay;
};
const waiting = async (): Promise<string[]> => {
  const { rows } = await kit.pool.query(
    'SELECT event_id FROM vault.outbox WHERE relayed_at IS NULL ORDER BY seq',
  );
  return rows.map((row) => row.event_id);
};
const logged = async (key: string): Promise<string[]> =>
  (await readTopic(kafka, `${prefix}${topic}`)).filter((record) => record.key === key).map(({ id }) => id);

it('what was committed is in the log, in the order of its key, and the position is told', async () => {
  const ids = [nth(1), nth(2), nth(3)];
  for (const id of ids) await commit(id, ana);
  const position = await open().delivered(nth(3));
  expect(position).toMatchObject({ topic });
  expect(await logged(ana)).toEqual(ids);
  expect(await waiting()).toEqual([]);
});

it('what the broker does not take goes on waiting, and holds nobody else up', async () => {
  await commit(nth(4), ben, absent);
  await commit(nth(5), ben);
  await open().delivered(nth(5));
  expect(await logged(ben)).toEqual([nth(5)]);
  expect(await waiting()).toEqual([nth(4)]);
}, 120_000);

it('while another process relays nothing is appended here, and afterwards everything once', async () => {
  await commit(nth(6), nth(60));
  let delivered: Promise<unknown> | undefined;
  await transaction(kit.pool, async (client) => {
    await lockRelay(client);
    delivered = open().delivered(nth(6));
    await vi.waitFor(async () => {
      const { rows } = await kit.pool.query(
        `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
      );
      expect(rows.length).toBeGreaterThan(0);
    });
    expect(await logged(nth(60))).toEqual([]);
  });
  await delivered;
  expect(await logged(nth(60))).toEqual([nth(6)]);
});
