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
    heads: async (topic) => (await readHeads(admin, prefix, [topic])).get(topic) ?? [],
    close: () => admin.disconnect(),
  };
}
