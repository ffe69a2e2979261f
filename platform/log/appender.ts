import type { Kafka, ProducerRecord, RecordMetadata, TopicMessages } from 'kafkajs';
import { ProblemError } from '../errors/problem.ts';
import type { Logger } from '../telemetry/logger.ts';
import { partitionOf } from './partition.ts';
import type { Position } from './position.ts';
import { topicName } from './topics.ts';

/** A record ready for the log; topic without prefix. */
export interface EncodedRecord {
  topic: string;
  key: string;
  value: Buffer;
  headers: { ce_id: string; ce_type: string; traceparent: string };
}

export interface Appender {
  /** Resolves when the broker has it (acks all). Refuses with event_too_large or outcome_unknown. */
  append(record: EncodedRecord): Promise<Position>;
  /** Throws from when an append was not confirmed until one is again. A broker may answer, and still take no write. */
  check(): void;
  /** Sends what is gathered, then disconnects. */
  close(): Promise<void>;
}

export interface AppenderOptions {
  kafka: Kafka;
  prefix: string;
  partitions: number;
  log: Logger;
}

interface Waiting {
  record: EncodedRecord;
  partition: number;
  since: number;
  resolve(position: Position): void;
  reject(error: Error): void;
}

/** Milliseconds the first record of a batch waits for company. */
const gatherMs = 2;
const maxBatchRecords = 4_000;
const maxBatchBytes = 4_000_000;
/** Bytes of one partition in one send: kafkajs makes one batch of them, and the broker takes a megabyte a batch. */
const maxPartitionBytes = 1_000_000;
/** Bytes that key, headers and framing add to a value. */
const framingBytes = 300;
/** Records waiting, and bytes of them; beyond either a caller is told at once. */
const maxWaiting = 20_000;
const maxWaitingBytes = 64_000_000;
/** Bytes of one value: the broker takes a megabyte, the rest is for key, headers and framing. */
const maxValueBytes = 900_000;
/** Milliseconds after which a caller is told that the outcome is unknown. */
const answerWithinMs = 10_000;

/**
 * Gathers the records of many requests into one send at a time, so each partition has one request in flight. Not
 * idempotent on purpose: kafkajs loses acknowledged records in that mode when a response is lost (DESIGN §4), while
 * here a retry writes a record twice and every consumer takes it once.
 */
export async function openAppender(options: AppenderOptions): Promise<Appender> {
  const producer = options.kafka.producer({
    idempotent: false,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner:
      () =>
      ({ message }) =>
        Number(message.partition ?? 0),
    retry: { initialRetryTime: 50, maxRetryTime: 1_000, retries: 4 },
  });
  await producer.connect();
  const waiting: Waiting[] = [];
  let sending: Promise<void> | null = null;
  let closed = false;
  let waitingBytes = 0;
  let unconfirmedSince: number | null = null;

  const drain = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, gatherMs));
    while (waiting.length > 0) {
      const batch = takeBatch(waiting);
      waitingBytes -= sum(batch.map(bytesOf));
      await sendGathered(batch);
    }
    sending = null;
  };

  const send = async (batch: Waiting[]): Promise<void> => {
    const result = await producer.sendBatch({ acks: -1, topicMessages: grouped(batch, options.prefix) });
    unconfirmedSince = null;
    settle(batch, result, options.prefix);
  };

  const sendGathered = async (batch: Waiting[]): Promise<void> => {
    const current = inTime(batch);
    if (current.length === 0) return;
    try {
      await send(current);
    } catch (error) {
      options.log.warn(
        { err: error, records: current.length },
        'a gathered append failed, each partition is tried alone',
      );
      await Promise.all(byPartition(current).map((part) => sendAlone(part)));
    }
  };

  // One failed partition fails a whole request of kafkajs: alone, each command learns its own outcome.
  const sendAlone = async (part: Waiting[]): Promise<void> => {
    const current = inTime(part);
    if (current.length === 0) return;
    await send(current).catch((error) => {
      options.log.error({ err: error, records: current.length }, 'append failed');
      unconfirmedSince ??= Date.now();
      for (const item of current) item.reject(outcomeUnknown());
    });
  };

  return {
    append(record) {
      if (record.value.length > maxValueBytes) return Promise.reject(tooLarge(record.value.length));
      if (closed || waiting.length >= maxWaiting || waitingBytes >= maxWaitingBytes)
        return Promise.reject(busy());
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          unconfirmedSince ??= Date.now();
          reject(outcomeUnknown());
        }, answerWithinMs);
        const done =
          <T>(settleWith: (value: T) => void) =>
          (value: T): void => {
            clearTimeout(timer);
            settleWith(value);
          };
        const partition = partitionOf(record.key, options.partitions);
        const item = { record, partition, since: Date.now(), resolve: done(resolve), reject: done(reject) };
        waiting.push(item);
        waitingBytes += bytesOf(item);
        sending ??= drain();
      });
    },
    check() {
      if (unconfirmedSince === null) return;
      const since = new Date(unconfirmedSince).toISOString();
      throw new Error(`an append was not confirmed at ${since}, nor any since; are enough replicas in sync?`);
    },
    async close() {
      closed = true;
      await sending;
      await producer.disconnect();
    },
  };
}

function bytesOf({ record }: Waiting): number {
  return record.value.length + framingBytes;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Those whose callers still wait. What a caller was told nobody knows of is not sent: by now something else may be right. */
function inTime(batch: Waiting[]): Waiting[] {
  const overdue = new Set(batch.filter(late));
  for (const item of overdue) item.reject(outcomeUnknown());
  return batch.filter((item) => !overdue.has(item));
}

function late(item: Waiting): boolean {
  return Date.now() - item.since > answerWithinMs;
}

/**
 * The oldest that fit into one send. Once a partition is full, its later records stay in their order for the next
 * one, and don't hold up those of other partitions.
 */
function takeBatch(waiting: Waiting[]): Waiting[] {
  const taken: Waiting[] = [];
  const left: Waiting[] = [];
  const filled = new Map<string, number>();
  let bytes = 0;
  let looked = 0;
  while (looked < waiting.length && taken.length < maxBatchRecords && bytes < maxBatchBytes) {
    const item = waiting[looked]!;
    const id = partitionId(item);
    const size = bytesOf(item);
    const after = (filled.get(id) ?? 0) + size;
    const fits = after <= maxPartitionBytes;
    filled.set(id, fits ? after : Number.POSITIVE_INFINITY);
    (fits ? taken : left).push(item);
    if (fits) bytes += size;
    looked += 1;
  }
  waiting.splice(0, looked, ...left);
  return taken;
}

function partitionId({ record, partition }: Waiting): string {
  return `${record.topic}/${partition}`;
}

function byPartition(batch: Waiting[]): Waiting[][] {
  const parts = Map.groupBy(batch, partitionId);
  return [...parts.values()];
}

function grouped(batch: Waiting[], prefix: string): TopicMessages[] {
  const topics = Map.groupBy(batch, (item) => item.record.topic);
  return [...topics].map(([topic, items]) => ({
    topic: topicName(prefix, topic),
    messages: items.map(({ record, partition }) => ({
      key: record.key,
      value: record.value,
      headers: record.headers,
      partition,
    })) as ProducerRecord['messages'],
  }));
}

/** kafkajs gives the offset of the first record of each partition; the others follow in the order they were sent. */
function settle(batch: Waiting[], result: RecordMetadata[], prefix: string): void {
  const next = new Map(result.map((r) => [`${r.topicName}/${r.partition}`, BigInt(r.baseOffset ?? -1)]));
  for (const item of batch) {
    const id = `${topicName(prefix, item.record.topic)}/${item.partition}`;
    const offset = next.get(id);
    if (offset === undefined || offset < 0n) {
      item.reject(outcomeUnknown());
      continue;
    }
    next.set(id, offset + 1n);
    item.resolve({ topic: item.record.topic, partition: item.partition, offset });
  }
}

function outcomeUnknown(): ProblemError {
  return new ProblemError({
    code: 'outcome_unknown',
    status: 503,
    title: 'The write may or may not have happened; repeat it',
    detail: 'The log did not confirm the write in time. Repeat it with the same Idempotency-Key.',
  });
}

function busy(): ProblemError {
  return new ProblemError({
    code: 'dependency_unavailable',
    status: 503,
    title: 'A part this needs does not answer; try again',
    detail: 'Too many writes are waiting for the log. Nothing was written; try again.',
  });
}

function tooLarge(bytes: number): ProblemError {
  return new ProblemError({
    code: 'event_too_large',
    status: 413,
    title: 'The event would be over the limit of the log',
    detail: `The event has ${bytes} bytes, the log takes ${maxValueBytes}.`,
  });
}
