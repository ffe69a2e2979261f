import type { Admin, Kafka } from 'kafkajs';
import { readHeads } from './topics.ts';

/** Questions to the cluster, over a connection that is kept. Each throws when no broker answers. */
export interface Broker {
  check(): Promise<void>;
  /** The next offset to be written of each partition; topic without prefix. */
  heads(topic: string): Promise<bigint[]>;
  close(): Promise<void>;
}

export async function openBroker(kafka: Kafka, prefix: string): Promise<Broker> {
  const connect = async (): Promise<Admin> => {
    const connected = kafka.admin({ retry: { retries: 0 } });
    await connected.connect();
    return connected;
  };
  let admin = await connect();
  let renewing: Promise<void> | null = null;
  /** Once for all who ask at the time: a leader that moves is noticed by everybody at once. */
  const renew = (): Promise<void> => {
    renewing ??= connect()
      .then(async (newer) => {
        const older = admin;
        admin = newer;
        await older.disconnect();
      })
      .finally(() => {
        renewing = null;
      });
    return renewing;
  };
  return {
    async check() {
      await admin.describeCluster();
    },
    async heads(topic) {
      const heads = await readHeads(admin, prefix, [topic]).catch(async (error: Error) => {
        // Another broker leads by now: kafkajs asks who does every five minutes, and a new connection at once.
        if (error.name !== 'KafkaJSProtocolError') throw error;
        await renew();
        return readHeads(admin, prefix, [topic]);
      });
      return heads.get(topic) ?? [];
    },
    close: () => admin.disconnect(),
  };
}
