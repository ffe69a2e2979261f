import { randomUUID } from 'node:crypto';
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';

/** A stretch of one partition, `from` inclusive, `to` exclusive. `topic` is the broker's name. */
export interface Range {
  topic: string;
  partition: number;
  from: number;
  to: number;
}

/** Takes the records of one partition in their order. */
export type OnRecords = (topic: string, partition: number, records: KafkaMessage[]) => Promise<void>;

const stalledMs = 60_000;
const mostSeeks = 3;
const fetchBytes = 4_194_304;

/**
 * Reads exactly these stretches, each partition in order, and nothing else: the group is our own, no offset is
 * committed. kafkajs may deliver other offsets first after a seek; those are dropped and sought again (DESIGN §6).
 */
export async function readLog(kafka: Kafka, ranges: readonly Range[], onRecords: OnRecords): Promise<void> {
  const wanted = ranges.filter((range) => range.from < range.to);
  if (wanted.length === 0) return;
  const groupId = `emulsion-verify-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxBytesPerPartition: fetchBytes, maxWaitTimeInMs: 100 });
  await consumer.connect();
  try {
    await consumer.subscribe({
      topics: [...new Set(wanted.map((range) => range.topic))],
      fromBeginning: true,
    });
    await untilRead(consumer, wanted, onRecords);
  } finally {
    await consumer.disconnect();
    await forgetGroup(kafka, groupId);
  }
}

function untilRead(consumer: Consumer, wanted: Range[], onRecords: OnRecords): Promise<void> {
  return new Promise((resolve, reject) => {
    const reading = createReading(wanted, onRecords);
    let moved = performance.now();
    const timer = setInterval(() => {
      if (performance.now() - moved > stalledMs)
        end(new Error(`The log gave nothing more for ${stalledMs / 1_000} s.`));
    }, 1_000);
    const end = (error?: Error): void => {
      clearInterval(timer);
      if (error) reject(error);
      else resolve();
    };
    consumer.on(consumer.events.CRASH, ({ payload }) => end(payload.error));
    const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
      moved = performance.now();
      try {
        await reading.take(payload, (topic, partition, offset) =>
          consumer.seek({ topic, partition, offset }),
        );
      } catch (error) {
        end(error as Error);
        return;
      }
      if (reading.done()) end();
    };
    consumer
      .run({ autoCommit: false, partitionsConsumedConcurrently: 1, eachBatch })
      .then(() => {
        for (const { topic, partition, from } of wanted) {
          if (from > 0) consumer.seek({ topic, partition, offset: String(from) });
        }
      })
      .catch(end);
  });
}

function createReading(wanted: Range[], onRecords: OnRecords) {
  const open = new Map(wanted.map((range) => [`${range.topic}/${range.partition}`, { ...range, seeks: 0 }]));
  return {
    done: () => open.size === 0,
    async take(
      { batch, pause, heartbeat }: EachBatchPayload,
      seek: (topic: string, partition: number, offset: string) => void,
    ): Promise<void> {
      const id = `${batch.topic}/${batch.partition}`;
      const range = open.get(id);
      if (!range) {
        pause();
        return;
      }
      const first = Number(batch.messages[0]?.offset ?? range.from);
      if (first > range.from) {
        range.seeks += 1;
        if (range.seeks > mostSeeks)
          throw new Error(`${id} has no offset ${range.from}; its first one is ${first}.`);
        seek(batch.topic, batch.partition, String(range.from));
        return;
      }
      const records = batch.messages.filter(
        (m) => Number(m.offset) >= range.from && Number(m.offset) < range.to,
      );
      if (records.length > 0) {
        await onRecords(batch.topic, batch.partition, records);
        range.from = Number(records.at(-1)!.offset) + 1;
      }
      if (range.from >= range.to) {
        open.delete(id);
        pause();
      }
      await heartbeat();
    },
  };
}

/** A courtesy: the broker would forget it too. */
async function forgetGroup(kafka: Kafka, groupId: string): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } catch {
    // The group is empty and holds nothing.
  } finally {
    await admin.disconnect();
  }
}
