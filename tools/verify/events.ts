import type { Kafka, KafkaMessage } from 'kafkajs';
import { type Codec, Undecodable } from '../../platform/log/codec.ts';
import { topicName } from '../../platform/log/topics.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';
import { loadDataKeys } from '../../platform/vault/data-keys.ts';
import type { MasterKey } from '../../platform/vault/master-key.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { type Range, readLog } from './log.ts';

/** The log and what is needed to read it. */
export interface Source {
  kafka: Kafka;
  prefix: string;
  codec: Codec<Event>;
  master: MasterKey;
}

/** An event where it lies; `event` is null when the record does not decode. */
export interface Located {
  topic: string;
  partition: number;
  offset: number;
  event: Event | null;
}

/** Stretches by topic without prefix. */
export type Stretch = Range;

/**
 * Gives every event of these stretches. With `keys` personal fields are revealed by the keys found there (an erased
 * owner's are null); without, they are all null.
 */
export async function readEvents(
  source: Source,
  stretches: readonly Stretch[],
  keys: Queryable | null,
  take: (located: Located) => void,
): Promise<void> {
  const ranges = stretches.map((stretch) => ({ ...stretch, topic: topicName(source.prefix, stretch.topic) }));
  await readLog(source.kafka, ranges, async (name, partition, records) => {
    const topic = name.slice(source.prefix.length);
    const values = records.map((record) => record.value ?? Buffer.alloc(0));
    await source.codec.prepare(values);
    const sealed = records.map((record) => decode(source.codec, record));
    const owners = new Set(sealed.map((event) => event?.owner).filter((owner) => typeof owner === 'string'));
    const found = keys ? await loadDataKeys(keys, source.master, [...owners], { share: false }) : new Map();
    sealed.forEach((event, index) => {
      const offset = Number(records[index]!.offset);
      take({
        topic,
        partition,
        offset,
        event: event && source.codec.reveal(event, (owner) => found.get(owner)),
      });
    });
  });
}

function decode(codec: Codec<Event>, record: KafkaMessage): ReturnType<Codec<Event>['decode']> | null {
  try {
    return codec.decode(record.value ?? Buffer.alloc(0));
  } catch (error) {
    if (error instanceof Undecodable) return null;
    throw error;
  }
}
