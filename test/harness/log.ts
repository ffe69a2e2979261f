import { randomUUID } from 'node:crypto';
import type { EachMessageHandler, Kafka, KafkaMessage } from 'kafkajs';

/** A record as it lies in the log. */
export interface LoggedRecord {
  partition: number;
  offset: bigint;
  key: string;
  value: Buffer;
  /** ce_id and ce_type. */
  id: string;
  type: string;
}

/**
 * Everything a topic (with prefix) holds up to its end of now, each partition in its order, read by a plain consumer
 * that shares no code with ours.
 */
export async function readTopic(kafka: Kafka, topic: string): Promise<LoggedRecord[]> {
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  const records = new Map<string, LoggedRecord>();
  const total = ends.reduce((sum, { high }) => sum + Number(high), 0);
  const groupId = `read-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId });
  try {
    if (total > 0) {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await new Promise<void>((resolve, reject) => {
        consumer.on(consumer.events.CRASH, ({ payload }) => {
          if (!payload.restart) reject(payload.error);
        });
        const eachMessage: EachMessageHandler = async ({ partition, message }) => {
          records.set(`${partition}/${message.offset}`, recordOf(partition, message));
          // Read again after a rebalance is read once; what is appended meanwhile doesn't end it early.
          if (records.size >= total && ends.every((end) => isRead(records, end))) resolve();
        };
        consumer.run({ autoCommit: false, eachMessage }).catch(reject);
      });
    }
  } finally {
    await consumer.disconnect();
    await admin.deleteGroups([groupId]).catch(() => {});
    await admin.disconnect();
  }
  return [...records.values()].sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}

function isRead(records: Map<string, LoggedRecord>, end: { partition: number; high: string }): boolean {
  return end.high === '0' || records.has(`${end.partition}/${BigInt(end.high) - 1n}`);
}

function recordOf(partition: number, message: KafkaMessage): LoggedRecord {
  return {
    partition,
    offset: BigInt(message.offset),
    key: String(message.key),
    value: message.value ?? Buffer.alloc(0),
    id: String(message.headers?.ce_id),
    type: String(message.headers?.ce_type),
  };
}
