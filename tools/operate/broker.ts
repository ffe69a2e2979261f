import { type Kafka, Kafka as KafkaClient, logLevel } from 'kafkajs';
import type { Config } from '../../platform/process/config.ts';

/** For a person who waits: gives up within seconds where a service would go on trying. */
export function operatorKafka(config: Pick<Config, 'kafkaBrokers'>): Kafka {
  return new KafkaClient({
    brokers: config.kafkaBrokers,
    clientId: 'emulsion-operator',
    connectionTimeout: 2_000,
    requestTimeout: 4_000,
    retry: { retries: 1, initialRetryTime: 100, maxRetryTime: 300 },
    logLevel: logLevel.NOTHING,
  });
}

/** As Kafka's protocol numbers them; kafkajs' own names can't be imported from a module. */
export const resourceTypes = { topic: 2, broker: 4 } as const;
