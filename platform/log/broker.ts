import type { Kafka } from 'kafkajs';
import { fetchHeads, readHeads } from './topics.ts';

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
      const heads = await readHeads(admin, prefix, [topic]).catch((error: Error) => {
        // Another broker leads by now: kafkajs asks who does every five minutes, and a new connection at once.
        if (error.name === 'KafkaJSProtocolError') return fetchHeads(kafka, prefix, [topic]);
        throw error;
      });
      return heads.get(topic) ?? [];
    },
    close: () => admin.disconnect(),
  };
}
