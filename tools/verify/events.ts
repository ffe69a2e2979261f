import type { Kafka } from 'kafkajs';
import { type Codec, type SealedEvent, Undecodable } from '../../platform/log/codec.ts';
import type { LogRecord } from '../../platform/log/intake.ts';
import { readLog, type Stretch } from '../../platform/log/read-log.ts';
import type { Rulings } from '../../platform/log/rulings.ts';
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
  /** What operators have ruled about records that a model had parked. */
  rulings: Rulings;
}

/** An event where it lies; `event` is null when the record does not decode. */
export interface Located {
  topic: string;
  partition: number;
  offset: number;
  event: Event | null;
  /** What single models take instead, by name; null when they never take it. */
  ruled: ReadonlyMap<string, { event: Event | null } | null>;
}

/** The event that a model takes from there; undefined when an operator has discarded it. */
export function eventFor(model: string, { event, ruled }: Located): Event | null | undefined {
  if (!ruled.has(model)) return event;
  const instead = ruled.get(model);
  return instead ? instead.event : undefined;
}

/** Every event that any model takes from there. */
export function eventsAt({ event, ruled }: Located): Event[] {
  const all = [event, ...[...ruled.values()].map((instead) => instead?.event ?? null)];
  return all.filter((one) => one !== null);
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
  const { kafka, prefix, codec, master, rulings } = source;
  const handle = async (records: LogRecord[]): Promise<void> => {
    const ruled = records.filter((record) => rulings.on(record).size > 0);
    const replacements = ruled.flatMap((record) =>
      [...rulings.on(record).values()].flatMap(({ replacement }) => replacement ?? []),
    );
    const values = [...records.map((record) => record.value), ...replacements];
    await codec.prepare(values);
    const sealed = values.map((value) => decode(codec, value));
    const owners = new Set(sealed.map((event) => event?.owner).filter((owner) => typeof owner === 'string'));
    const found = keys ? await loadDataKeys(keys, master, [...owners], { share: false }) : new Map();
    const events = sealed.map((event) => event && codec.reveal(event, (owner) => found.get(owner)));
    const insteadOf = new Map(replacements.map((value, index) => [value, events[records.length + index]!]));
    records.forEach((record, index) => {
      const { topic, partition, offset } = record;
      const place = { topic, partition, offset: Number(offset) };
      take({ ...place, event: events[index]!, ruled: ruledHere(rulings.on(record), insteadOf) });
    });
  };
  await readLog({ kafka, prefix, stretches, handle });
}

const nothingRuled: Located['ruled'] = new Map();

function ruledHere(
  rulings: ReturnType<Rulings['on']>,
  insteadOf: ReadonlyMap<Buffer, Event | null>,
): Located['ruled'] {
  if (rulings.size === 0) return nothingRuled;
  return new Map(
    [...rulings].map(([model, { replacement }]) => [
      model,
      replacement && { event: insteadOf.get(replacement) ?? null },
    ]),
  );
}

function decode(codec: Codec<Event>, value: Buffer): SealedEvent | null {
  try {
    return codec.decode(value);
  } catch (error) {
    if (error instanceof Undecodable) return null;
    throw error;
  }
}
