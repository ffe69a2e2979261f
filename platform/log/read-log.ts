import { randomUUID } from 'node:crypto';
import type { EachBatchPayload, Kafka } from 'kafkajs';
import type { LogRecord } from './intake.ts';
import { fetchHeads, topicName } from './topics.ts';

export interface ReadLogOptions {
  kafka: Kafka;
  prefix: string;
  /** Without prefix. */
  topics: readonly string[];
  /** Called with records of one partition in their order; the next ones come when it resolves. */
  handle(records: LogRecord[]): Promise<void>;
}

/**
 * Reads these topics once, from their beginning up to where they end now, keeping no position: for tools that fold
 * the log by themselves. Gives the heads it read up to. Throws when the broker leaves an offset out.
 */
export async function readLog(options: ReadLogOptions): Promise<Map<string, bigint[]>> {
  const heads = await fetchHeads(options.kafka, options.prefix, options.topics);
  const progress = openProgress(options, heads);
  if (progress.finished()) return heads;
  const groupId = `${options.prefix}read-${randomUUID()}`;
  const consumer = options.kafka.consumer({
    groupId,
    retry: { retries: 5, restartOnFailure: async () => false },
  });
  try {
    await consumer.connect();
    await consumer.subscribe({
      topics: options.topics.map((t) => topicName(options.prefix, t)),
      fromBeginning: true,
    });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch, heartbeat }) => {
            const beats = setInterval(() => heartbeat().catch(() => {}), 2_000);
            try {
              await progress.take(batch);
              if (progress.finished()) resolve();
            } catch (error) {
              reject(error);
            } finally {
              clearInterval(beats);
            }
          },
        })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect().catch(() => {});
    await forgetGroup(options.kafka, groupId);
  }
  return heads;
}

interface Reading {
  topic: string;
  partition: number;
  next: bigint;
  head: bigint;
}

/** How far each partition is read; hands on what is new and below the head. */
function openProgress(options: ReadLogOptions, heads: Map<string, bigint[]>) {
  const readings = new Map<string, Reading>();
  for (const [topic, offsets] of heads) {
    offsets.forEach((head, partition) => {
      readings.set(`${topicName(options.prefix, topic)}/${partition}`, { topic, partition, next: 0n, head });
    });
  }
  return {
    finished: () => [...readings.values()].every(({ next, head }) => next >= head),
    async take(batch: EachBatchPayload['batch']): Promise<void> {
      const reading = readings.get(`${batch.topic}/${batch.partition}`)!;
      const records: LogRecord[] = [];
      for (const message of batch.messages) {
        const offset = BigInt(message.offset);
        if (offset < reading.next || offset >= reading.head) continue;
        if (offset > reading.next)
          throw new Error(`${batch.topic}/${batch.partition} has no offset ${reading.next}`);
        reading.next += 1n;
        records.push(recordOf(reading, message));
      }
      if (records.length > 0) await options.handle(records);
    },
  };
}

function recordOf(
  { topic, partition }: Reading,
  message: EachBatchPayload['batch']['messages'][number],
): LogRecord {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
  return {
    topic,
    partition,
    offset: BigInt(message.offset),
    key: message.key?.toString() ?? '',
    value: message.value ?? Buffer.alloc(0),
    headers: Object.fromEntries(headers),
  };
}

async function forgetGroup(kafka: Kafka, groupId: string): Promise<void> {
  const admin = kafka.admin();
  // The broker forgets an empty group by itself; this only keeps its list short.
  await admin
    .connect()
    .then(() => admin.deleteGroups([groupId]))
    .catch(() => {});
  await admin.disconnect().catch(() => {});
}
