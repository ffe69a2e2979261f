import { randomUUID } from 'node:crypto';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { type LogRecord, recordOf } from './record.ts';
import { fetchHeads, topicName } from './topics.ts';

/** A stretch of one partition, `from` inclusive, `to` exclusive. `topic` is without prefix. */
export interface Stretch {
  topic: string;
  partition: number;
  from: bigint;
  to: bigint;
}

export interface ReadLogOptions {
  kafka: Kafka;
  prefix: string;
  /** At most one of each partition. */
  stretches: readonly Stretch[];
  /** Called with records of one partition in their order; the next ones come when it resolves. */
  handle(records: LogRecord[]): Promise<void>;
  /** Ends the reading early, with what it was aborted for. */
  signal?: AbortSignal;
}

const stalledMs = 60_000;
const mostSeeks = 3;
const fetchBytes = 4_194_304;
const heartbeatMs = 2_000;

/** Everything that these topics hold now. */
export async function wholeLog(kafka: Kafka, prefix: string, topics: readonly string[]): Promise<Stretch[]> {
  const heads = await fetchHeads(kafka, prefix, topics);
  return [...heads].flatMap(([topic, offsets]) =>
    offsets.map((to, partition) => ({ topic, partition, from: 0n, to })),
  );
}

/**
 * Reads exactly these stretches, each partition in order, keeping no position: for whatever folds the log by itself.
 * kafkajs may deliver other offsets first after a seek; those are dropped and sought again (DESIGN §6). Throws when
 * the broker leaves an offset out, or gives nothing for a minute.
 */
export async function readLog(options: ReadLogOptions): Promise<void> {
  const wanted = options.stretches.filter((stretch) => stretch.from < stretch.to);
  if (wanted.length === 0) return;
  options.signal?.throwIfAborted();
  const groupId = `${options.prefix}read-${randomUUID()}`;
  const consumer = options.kafka.consumer({
    groupId,
    maxBytesPerPartition: fetchBytes,
    maxWaitTimeInMs: 100,
    retry: { retries: 5 },
  });
  try {
    await consumer.connect();
    const topics = [...new Set(wanted.map(({ topic }) => topicName(options.prefix, topic)))];
    await consumer.subscribe({ topics, fromBeginning: true });
    await untilRead(consumer, options, wanted);
  } finally {
    await consumer.disconnect().catch(() => {});
    await forgetGroup(options.kafka, groupId);
  }
}

function untilRead(consumer: Consumer, options: ReadLogOptions, wanted: readonly Stretch[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const progress = openProgress(consumer, options, wanted);
    let moved = performance.now();
    let handling = false;
    let trouble: Error | undefined;
    const watch = setInterval(() => {
      if (!handling && performance.now() - moved > stalledMs)
        end(new Error(`The log gave nothing more for ${stalledMs / 1_000} s.`, { cause: trouble }));
    }, 1_000);
    const end = (error?: Error): void => {
      clearInterval(watch);
      options.signal?.removeEventListener('abort', aborted);
      if (error) reject(error);
      else resolve();
    };
    const aborted = (): void => end(options.signal!.reason as Error);
    options.signal?.addEventListener('abort', aborted);
    // kafkajs begins again by itself after what may pass, as a coordinator that is still loading: then the offsets
    // that come are sought again.
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      trouble = payload.error;
      if (!payload.restart) end(payload.error);
    });
    const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
      if (options.signal?.aborted) return;
      const beats = setInterval(() => payload.heartbeat().catch(() => {}), heartbeatMs);
      handling = true;
      try {
        await progress.take(payload);
      } catch (error) {
        end(error as Error);
      } finally {
        clearInterval(beats);
        handling = false;
        moved = performance.now();
      }
      if (progress.done()) end();
    };
    consumer
      .run({ autoCommit: false, partitionsConsumedConcurrently: 1, eachBatch })
      .then(() => progress.start())
      .catch(end);
  });
}

interface Reading extends Stretch {
  seeks: number;
}

/** How far each stretch is read; hands on what is new and wanted. */
function openProgress(consumer: Consumer, options: ReadLogOptions, wanted: readonly Stretch[]) {
  const nameOf = ({ topic }: Stretch): string => topicName(options.prefix, topic);
  const open = new Map<string, Reading>(
    wanted.map((stretch) => [`${nameOf(stretch)}/${stretch.partition}`, { ...stretch, seeks: 0 }]),
  );
  const seek = (reading: Reading): void =>
    consumer.seek({
      topic: nameOf(reading),
      partition: reading.partition,
      offset: reading.from.toString(),
    });
  return {
    done: () => open.size === 0,
    start() {
      for (const reading of open.values()) if (reading.from > 0n) seek(reading);
    },
    async take({ batch, pause }: EachBatchPayload): Promise<void> {
      const id = `${batch.topic}/${batch.partition}`;
      const reading = open.get(id);
      if (!reading) {
        pause();
        return;
      }
      const first = BigInt(batch.messages[0]?.offset ?? reading.from);
      if (first > reading.from) {
        reading.seeks += 1;
        if (reading.seeks > mostSeeks)
          throw new Error(`${id} has no offset ${reading.from}; its first one is ${first}.`);
        seek(reading);
        return;
      }
      const records = recordsOf(reading, batch.messages);
      if (records.length > 0) {
        await options.handle(records);
        reading.from = records.at(-1)!.offset + 1n;
      } else if (BigInt(batch.messages.at(-1)?.offset ?? first) < reading.from) {
        // From before the stretch: not what was sought.
        seek(reading);
      }
      if (reading.from < reading.to) return;
      open.delete(id);
      pause();
    },
  };
}

function recordsOf(reading: Reading, messages: EachBatchPayload['batch']['messages']): LogRecord[] {
  const { topic, partition, from, to } = reading;
  const records: LogRecord[] = [];
  for (const message of messages) {
    const record = recordOf(topic, partition, message);
    if (record.offset >= from && record.offset < to) records.push(record);
  }
  return records;
}

/** A courtesy: the broker would forget an empty group too. */
async function forgetGroup(kafka: Kafka, groupId: string): Promise<void> {
  const admin = kafka.admin();
  await admin
    .connect()
    .then(() => admin.deleteGroups([groupId]))
    .catch(() => {});
  await admin.disconnect().catch(() => {});
}
