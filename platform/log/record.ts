import type { KafkaMessage } from 'kafkajs';

/** One record of the log. */
export interface LogRecord {
  /** Without prefix. */
  topic: string;
  partition: number;
  offset: bigint;
  key: string;
  value: Buffer;
  /** As they came: three texts a record are dear, and hardly any of them is ever looked at. See headerOf. */
  headers: KafkaMessage['headers'];
}

/** A message of kafkajs as the rest of us knows it. */
export function recordOf(topic: string, partition: number, message: KafkaMessage): LogRecord {
  return {
    topic,
    partition,
    offset: BigInt(message.offset),
    key: message.key?.toString() ?? '',
    value: message.value ?? Buffer.alloc(0),
    headers: message.headers,
  };
}

/** ce_id, ce_type or traceparent of a record; undefined when it has none. */
export function headerOf(record: Pick<LogRecord, 'headers'>, name: string): string | undefined {
  return record.headers?.[name]?.toString();
}
