import type { Kafka } from 'kafkajs';
import { topicName } from '../../../platform/log/topics.ts';

/** The doctor's own topic: nothing of it is kept, and no consumer reads it. */
export const probeTopic = 'doctor';

export interface Append {
  /** The broker's clock when it took the record, milliseconds. */
  appendedAt: number;
  /** Ours, before and after. */
  sentAt: number;
  answeredAt: number;
}

const keptMs = 3_600_000;

/** Writes one record that all replicas in sync must have. Makes the topic when it is not there yet. */
export async function appendProbe(kafka: Kafka, prefix: string): Promise<Append> {
  const topic = topicName(prefix, probeTopic);
  await makeTopic(kafka, topic);
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    // The first record also pays for finding the leader.
    const record = { topic, acks: -1, messages: [{ value: 'probe' }] };
    await producer.send(record);
    const sentAt = Date.now();
    const [answer] = await producer.send(record);
    return { appendedAt: Number(answer?.logAppendTime ?? -1), sentAt, answeredAt: Date.now() };
  } finally {
    await producer.disconnect().catch(() => {});
  }
}

async function makeTopic(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    if ((await admin.listTopics()).includes(topic)) return;
    const { brokers } = await admin.describeCluster();
    await admin.createTopics({
      topics: [
        {
          topic,
          numPartitions: 1,
          replicationFactor: Math.min(3, brokers.length),
          configEntries: [
            { name: 'retention.ms', value: String(keptMs) },
            { name: 'message.timestamp.type', value: 'LogAppendTime' },
          ],
        },
      ],
    });
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
