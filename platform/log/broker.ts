import type { Kafka } from 'kafkajs';
import { readHeads } from './topics.ts';

/** Questions to the cluster, over a connection that is kept. Each throws when no broker answers. */
export interface Broker {
  check(): Promise<void>;
  /** The next offset to be written of each partition; topic without prefix. */
  heads(topic: string): Promise<bigint[]>;
  close(): Promise<void>;
}

export async function openBroker(kafka: Kafka, prefix: string): Promise<Broker> {
  const admin = kafka.admin({ retry: { retries: 0 } });
  await admin.connect();
  return {
    async check() {
      await admin.describeCluster();
    },
    async heads(topic) {
      const read = () => readHeads(admin, prefix, [topic]);
      const heads = await read().catch((error: Error) => {
        // Another broker leads by now: an admin asks who does before each of its questions.
        if (error.name !== 'KafkaJSProtocolError') throw error;
        return read();
      });
      return heads.get(topic) ?? [];
    },
    close: () => admin.disconnect(),
  };
}
