import type { Kafka } from 'kafkajs';

export interface BrokerHealth {
  /** Throws when no broker answers. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Asks the cluster who is there, over a connection of its own that is kept. */
export async function openBrokerHealth(kafka: Kafka): Promise<BrokerHealth> {
  const admin = kafka.admin({ retry: { retries: 0 } });
  await admin.connect();
  return {
    async check() {
      await admin.describeCluster();
    },
    close: () => admin.disconnect(),
  };
}
