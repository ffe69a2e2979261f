import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openAppender } from '../../platform/log/appender.ts';
import { runConsumer } from '../../platform/log/consumer.ts';
import type { PartitionBatch } from '../../platform/log/intake.ts';
import { connectKafka, type Kafka } from '../../platform/log/kafka.ts';
import { type ConsumerOptions, openMembership } from '../../platform/log/membership.ts';
import { createTopics } from '../../platform/log/topics.ts';
import { savePositions } from '../../platform/postgres/positions.ts';
import { openGate } from '../../platform/process/gate.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

const topic = 'like-events';
const prefix = `m${Math.random().toString(36).slice(2)}.`;
const log = createLogger('test', 'silent');
let kit: ProjectionKit;
let kafka: Kafka;

beforeAll(async () => {
  kit = await openProjectionKit();
  kafka = connectKafka({ brokers: process.env.KAFKA_BROKERS!.split(','), clientId: prefix, log });
  await createTopics(kafka, { prefix, topics: [topic], partitions: 1 });
  const appender = await openAppender({ kafka, prefix, partitions: 1, log });
  const headers = { ce_id: '', ce_type: '', traceparent: '' };
  for (let i = 0; i < 10; i += 1)
    await appender.append({ topic, key: 'key', value: Buffer.from(String(i)), headers });
  await appender.close();
}, 60_000);

afterAll(async () => {
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [`${prefix}${topic}`] });
  await admin.disconnect();
  await kit.close();
});

let consumer = 0;
beforeEach(() => {
  consumer += 1;
});

/** Saves positions and remembers what came, as a model does. */
function optionsOf(seen: string[]): ConsumerOptions {
  const name = `membership-${consumer}`;
  return {
    ...{ kafka, log, prefix, consumer: name, topics: [topic], partitions: 1, start: 'beginning' },
    pool: kit.pool,
    gate: openGate(),
    async handle(batches: readonly PartitionBatch[]) {
      const steps = batches.map((batch) => ({ ...batch, from: batch.firstOffset, to: batch.nextOffset }));
      await savePositions(
        kit.pool,
        name,
        steps.map((step) => ({ ...step, eventTime: 0 })),
      );
      seen.push(...batches.flatMap(({ records }) => records.map(({ value }) => String(value))));
    },
  };
}

async function standAt(position: number, released = true): Promise<void> {
  await kit.pool.query(
    `INSERT INTO engine.position (consumer, topic, partition, position, released) VALUES ($1, $2, 0, $3, $4)`,
    [`membership-${consumer}`, topic, position, released],
  );
}

/**
 * The broker can not be told to misbehave: kafkajs' part of a membership is played here, everything else is real. What
 * it delivers comes from the test.
 */
async function playedMembership(
  seen: string[],
  {
    partitions = [0],
    ...extra
  }: Partial<Omit<ConsumerOptions, 'partitions'>> & { partitions?: number[] } = {},
) {
  const sought: string[] = [];
  const failed: Error[] = [];
  const asked: string[] = [];
  const played = {
    seek: ({ offset }: { offset: string }) => void sought.push(offset),
    pause: (topics: { partitions: number[] }[]) => void asked.push(`pause ${topics[0]?.partitions}`),
    resume: () => void asked.push('resume'),
    commitOffsets: async () => {},
  } as unknown as Consumer;
  const membership = openMembership(
    { ...optionsOf(seen), ...extra },
    played,
    (error) => failed.push(error),
    () => {},
  );
  membership.join({ [`${prefix}${topic}`]: partitions });
  const deliver = async (from: number, to: number): Promise<void> => {
    const messages = Array.from({ length: to - from }, (_, i) => message(from + i));
    const batch = { topic: `${prefix}${topic}`, partition: 0, messages, lastOffset: () => String(to - 1) };
    const payload = { batch, heartbeat: async () => {}, resolveOffset: () => {} };
    await membership.eachBatch({
      ...payload,
      isRunning: () => true,
      isStale: () => false,
    } as unknown as EachBatchPayload);
  };
  return { membership, deliver, sought, failed, asked };
}

function message(offset: number): KafkaMessage {
  const value = Buffer.from(String(offset));
  return { key: Buffer.from('key'), value, offset: String(offset), headers: {} } as unknown as KafkaMessage;
}

describe('kafkajs is not trusted for where reading begins', () => {
  it('what was not asked for is dropped and sought again, then all goes on', async () => {
    await standAt(4);
    const seen: string[] = [];
    const { membership, deliver, sought, failed } = await playedMembership(seen);
    await deliver(0, 4);
    expect([seen, sought, failed]).toEqual([[], ['4', '4'], []]);
    await deliver(4, 6);
    await deliver(8, 10);
    await deliver(6, 8);
    await vi.waitFor(() => expect(seen).toEqual(['4', '5', '6', '7']));
    expect([sought, failed]).toEqual([['4', '4', '6'], []]);
    membership.close();
    await membership.release();
    const { rows } = await kit.pool.query(
      'SELECT position, released FROM engine.position WHERE consumer = $1',
      [`membership-${consumer}`],
    );
    expect(rows).toEqual([{ position: 8, released: true }]);
  });

  it('three times the wrong one is no accident: it stops, says what to do, and has applied nothing', async () => {
    await standAt(4);
    const seen: string[] = [];
    const { membership, deliver, failed } = await playedMembership(seen);
    for (let i = 0; i < 3; i += 1) await deliver(0, 4);
    expect(seen).toEqual([]);
    expect(failed).toMatchObject([
      { name: 'PositionJumped', message: expect.stringContaining('lost-kafka.md') },
    ]);
    expect(failed[0]!.message).toContain('expects offset 4 of like-events/0, the broker gives 0');
    membership.close();
    await membership.release();
  });

  it('a position beyond the end stops the consumer at once; it does not begin at 0', async () => {
    await standAt(11);
    const seen: string[] = [];
    const running = runConsumer(optionsOf(seen));
    await vi.waitFor(() => expect(running.state().state).toBe('stopped'), { timeout: 60_000 });
    expect(running.state().reason).toContain('stands at 11 of like-events/0, beyond the head 10');
    expect(running.state().reason).toContain('lost-kafka.md');
    await running.close();
    expect(seen).toEqual([]);
  }, 90_000);

  it('a position at the end waits for what comes, and one in the middle reads from there', async () => {
    await standAt(7);
    const seen: string[] = [];
    const running = runConsumer(optionsOf(seen));
    await vi.waitFor(() => expect(seen).toEqual(['7', '8', '9']), { timeout: 60_000 });
    await running.close();
  }, 90_000);
});

it('what comes after a death is touched by nobody before its turn, and what comes later is made ready', async () => {
  await standAt(4, false);
  const arrived: string[] = [];
  const { membership, deliver } = await playedMembership([], {
    arrived: (records) => void arrived.push(...records.map(({ offset }) => `${offset}`)),
  });
  await deliver(4, 6);
  expect(arrived).toEqual([]);
  await deliver(6, 8);
  expect(arrived).toEqual(['6', '7']);
  membership.close();
  await membership.release();
});

describe('a topic that nobody waits for', () => {
  it('is not asked for a moment after it has brought something, and then is', async () => {
    const seen: string[] = [];
    const { membership, deliver, asked } = await playedMembership(seen, { unhurried: () => true });
    await deliver(0, 1);
    await deliver(1, 2);
    await vi.waitFor(() => expect(asked).toEqual(['resume', 'pause 0', 'resume']));
    await deliver(2, 3);
    expect(asked.slice(3)).toEqual(['pause 0']);
    await vi.waitFor(() => expect(seen).toEqual(['0', '1', '2']));
    membership.close();
    await membership.release();
  });

  it('is asked for where it has brought nothing lately: of several brokers one does not keep out another', async () => {
    const { membership, deliver, asked } = await playedMembership([], {
      ...{ unhurried: () => true, partitions: [0, 1] },
    });
    await deliver(0, 1);
    expect(asked).toEqual(['resume', 'pause 0']);
    membership.close();
    await membership.release();
  });

  it('stays paused when an operator has paused its consumer meanwhile', async () => {
    let halted = false;
    const { membership, deliver, asked } = await playedMembership([], {
      ...{ unhurried: () => true, paused: () => halted },
    });
    await deliver(0, 1);
    halted = true;
    await vi.waitFor(() => expect(asked).toEqual(['resume', 'pause 0', 'pause 0']));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(asked).toHaveLength(3);
    membership.close();
    await membership.release();
  });
});

it('what is paused when the group is joined again stays paused, and goes on exactly where it stood', async () => {
  const seen: string[] = [];
  const other: string[] = [];
  let paused = true;
  const first = runConsumer({ ...optionsOf(seen), paused: () => paused });
  const second = runConsumer({ ...optionsOf(other), paused: () => paused });
  // One partition for two: it changes hands when a member goes.
  const holders = (): number => first.held().length + second.held().length;
  await vi.waitFor(() => expect(holders()).toBe(1), { timeout: 60_000 });
  await first.close();
  await vi.waitFor(() => expect(second.held()).toHaveLength(1), { timeout: 60_000 });
  expect([second.state().state, seen, other]).toEqual(['paused', [], []]);
  paused = false;
  await vi.waitFor(() => expect(other).toEqual(Array.from({ length: 10 }, (_, i) => String(i))), {
    timeout: 60_000,
  });
  await second.close();
}, 180_000);
