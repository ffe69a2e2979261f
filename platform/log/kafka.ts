import { Kafka, logLevel } from 'kafkajs';
import type { Logger } from '../telemetry/logger.ts';

export type { Kafka } from 'kafkajs';

export interface KafkaOptions {
  brokers: string[];
  clientId: string;
  log: Logger;
}

/** The client every producer and consumer of a process shares. */
export function connectKafka(options: KafkaOptions): Kafka {
  return new Kafka({
    brokers: options.brokers,
    clientId: options.clientId,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => {
      // kafkajs reports retriable errors of a starting coordinator as errors; ours are reported where they are handled.
      const { message, timestamp: _, logger: __, ...rest } = entry.log;
      options.log.debug({ kafkajs: rest }, message);
    },
  });
}
