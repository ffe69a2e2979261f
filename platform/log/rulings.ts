import { type AnyEvent, type Decoder, type SealedEvent, Undecodable } from './codec.ts';
import type { Kafka } from './kafka.ts';
import { readLog } from './read-log.ts';
import type { LogRecord } from './record.ts';
import { fetchHeads } from './topics.ts';

/** What an operator decided of one record that a model had parked; the newest (time, id) holds. */
export interface Ruling {
  model: string;
  topic: string;
  partition: number;
  offset: bigint;
  /** The value to take instead; null when the record is never to be applied. */
  replacement: Buffer | null;
  time: number;
  id: string;
}

type RecordPlace = Pick<LogRecord, 'topic' | 'partition' | 'offset'>;

export type RuledRecord = (record: LogRecord) => LogRecord | null;

/** Records as operators have ruled: edited ones in the place of theirs, discarded ones left out. */
export function underRulings(ruled: RuledRecord | null, records: LogRecord[]): LogRecord[] {
  return ruled ? records.map(ruled).filter((record) => record !== null) : records;
}

/** The rulings of the log, laid over the records that they are about (DESIGN §6). */
export interface Rulings {
  /** Takes in what has been ruled up to now. Throws while the broker or the registry is away. */
  refresh(): Promise<void>;
  /**
   * What this model takes for a record: itself, the edited one, or null when it was discarded. No function at all while
   * nothing is ruled about the model.
   */
  of(model: string): RuledRecord | null;
  /** The rulings on a record, by model. */
  on(place: RecordPlace): ReadonlyMap<string, Ruling>;
}

export interface RulingsOptions {
  kafka: Kafka;
  prefix: string;
  codec: Decoder<AnyEvent>;
  /** Where rulings are, and which one an event is. It is a small topic: all of it is kept in memory. */
  topic: string;
  rulingOf(event: SealedEvent): Ruling | null;
}

/** Knows no ruling until the first refresh. They come from the log itself, so that no projection has to be up to date. */
export function openRulings(options: RulingsOptions): Rulings {
  const { kafka, prefix, codec, topic } = options;
  /** By place, then model. */
  const newest = new Map<string, Map<string, Ruling>>();
  const models = new Set<string>();
  const next: bigint[] = [];
  let reading: Promise<void> = Promise.resolve();
  let queued: Promise<void> | null = null;

  const on = (place: RecordPlace): ReadonlyMap<string, Ruling> =>
    (newest.size > 0 && newest.get(placeOf(place))) || none;
  const note = (ruling: Ruling): void => {
    const here = newest.get(placeOf(ruling)) ?? new Map<string, Ruling>();
    newest.set(placeOf(ruling), here);
    models.add(ruling.model);
    const known = here.get(ruling.model);
    if (!known || isOlder(known, ruling)) here.set(ruling.model, ruling);
  };
  const handle = async (records: LogRecord[]): Promise<void> => {
    await codec.prepare(records.map((record) => record.value));
    for (const { value } of records) {
      const ruling = decoded(options, value);
      if (ruling) note(ruling);
    }
    const { partition, offset } = records.at(-1)!;
    next[partition] = offset + 1n;
  };
  const read = async (): Promise<void> => {
    const heads = (await fetchHeads(kafka, prefix, [topic])).get(topic) ?? [];
    const stretches = heads.map((to, partition) => ({ topic, partition, from: next[partition] ?? 0n, to }));
    await readLog({ kafka, prefix, stretches, handle });
  };

  return {
    refresh() {
      // Whoever asks wants what there is now, not what a look found that is under way; the next one is for all.
      queued ??= reading
        .catch(() => {})
        .then(() => {
          queued = null;
          reading = read();
          return reading;
        });
      return queued;
    },
    of(model) {
      if (!models.has(model)) return null;
      return (record) => {
        const ruling = on(record).get(model);
        if (!ruling) return record;
        return ruling.replacement && { ...record, value: ruling.replacement };
      };
    },
    on,
  };
}

const none: ReadonlyMap<string, Ruling> = new Map();

/** For whoever has nothing ruled: every record is itself. */
export const noRulings: Rulings = {
  refresh: async () => {},
  of: () => null,
  on: () => none,
};

function placeOf({ topic, partition, offset }: RecordPlace): string {
  return `${topic}/${partition}/${offset}`;
}

/** What does not decode is parked by the model of rulings, where an operator sees it. */
function decoded({ codec, rulingOf }: RulingsOptions, value: Buffer): Ruling | null {
  try {
    return rulingOf(codec.decode(value));
  } catch (error) {
    if (error instanceof Undecodable) return null;
    throw error;
  }
}

function isOlder(a: Ruling, b: Ruling): boolean {
  return a.time < b.time || (a.time === b.time && a.id < b.id);
}
