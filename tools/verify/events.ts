import type { Kafka } from 'kafkajs';
import { type Codec, Undecodable } from '../../platform/log/codec.ts';
import type { LogRecord } from '../../platform/log/intake.ts';
import { readLog, type Stretch } from '../../platform/log/read-log.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';
import { loadDataKeys } from '../../platform/vault/data-keys.ts';
import type { MasterKey } from '../../platform/vault/master-key.ts';
import type { Event } from '../../schemas/generated/events.ts';

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
  const handle = async (records: LogRecord[]): Promise<void> => {
    await source.codec.prepare(records.map((record) => record.value));
    const sealed = records.map((record) => decode(source.codec, record));
    const owners = new Set(sealed.map((event) => event?.owner).filter((owner) => typeof owner === 'string'));
    const found = keys ? await loadDataKeys(keys, source.master, [...owners], { share: false }) : new Map();
    sealed.forEach((event, index) => {
      const { topic, partition, offset } = records[index]!;
      take({
        topic,
        partition,
        offset: Number(offset),
        event: event && source.codec.reveal(event, (owner) => found.get(owner)),
      });
    });
  };
  await readLog({ kafka: source.kafka, prefix: source.prefix, stretches, handle });
}

function decode(codec: Codec<Event>, record: LogRecord): ReturnType<Codec<Event>['decode']> | null {
  try {
    return codec.decode(record.value);
  } catch (error) {
    if (error instanceof Undecodable) return null;
    throw error;
  }
}
