import { type AnyEvent, type Codec, type SealedEvent, Undecodable } from '../../platform/log/codec.ts';
import type { LogRecord } from '../../platform/log/intake.ts';
import { readLog, type Stretch } from '../../platform/log/read-log.ts';
import { openRulings, type Rulings } from '../../platform/log/rulings.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';
import { loadDataKeys } from '../../platform/vault/data-keys.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { rulingOf, rulingTopic } from '../../schemas/operator/dead-letter.ts';
import type { Source } from './source.ts';

/** What a record says. */
export interface Reading {
  /** null: it does not decode, or its personal fields do not decrypt. */
  event: Event | null;
  /** Its owner's data key was not there, so that its personal fields are null. */
  unrevealed: boolean;
}

/** A record where it lies. */
export interface Located extends Reading {
  topic: string;
  partition: number;
  offset: number;
  /** What models take instead, by model; null: nothing, it was discarded. */
  ruled: ReadonlyMap<string, Reading | null>;
}

export interface ReadOptions {
  stretches: readonly Stretch[];
  /** Where the keys of personal fields are; without, those are all null. */
  keys: Queryable | null;
  /** Which models' rulings are laid over the records. */
  models: readonly string[];
  rulings: Rulings;
  signal?: AbortSignal;
}

/** What operators ruled of dead letters up to now. */
export async function readRulings({ kafka, prefix, codec }: Source): Promise<Rulings> {
  const rulings = openRulings({
    kafka,
    prefix,
    codec: codec as Codec<AnyEvent>,
    topic: rulingTopic,
    rulingOf,
  });
  await rulings.refresh();
  return rulings;
}

/** Gives every record of these stretches, each partition in its order; `took` is told the last one of each fetch. */
export async function readEvents(
  source: Source,
  options: ReadOptions,
  take: (located: Located) => void,
  took: (last: Omit<Located, keyof Reading | 'ruled'>, count: number) => Promise<void> = async () => {},
): Promise<void> {
  const { codec } = source;
  const overlays = options.models.flatMap((model) => {
    const of = options.rulings.of(model);
    return of ? [{ model, of }] : [];
  });
  const handle = async (records: LogRecord[]): Promise<void> => {
    const replaced = records.map((record) => overlaid(overlays, record));
    const others = replaced.flatMap((own) => [...(own?.values() ?? [])]).filter((record) => record !== null);
    const all = [...records, ...others];
    await codec.prepare(all.map((record) => record.value));
    const sealed = new Map(all.map((record) => [record, decoded(codec, record)]));
    const read = await reader(source, options.keys, [...sealed.values()]);
    records.forEach((record, index) => {
      const ruled = new Map<string, Reading | null>();
      for (const [model, other] of replaced[index] ?? []) ruled.set(model, other && read(sealed.get(other)!));
      const { topic, partition, offset } = record;
      take({ topic, partition, offset: Number(offset), ruled, ...read(sealed.get(record)!) });
    });
    const { topic, partition, offset } = records.at(-1)!;
    await took({ topic, partition, offset: Number(offset) }, records.length);
  };
  const { kafka, prefix } = source;
  await readLog({ kafka, prefix, stretches: options.stretches, handle, signal: options.signal });
}

/** What the models take instead of this record, where that is not the record itself. */
function overlaid(
  overlays: readonly { model: string; of: (record: LogRecord) => LogRecord | null }[],
  record: LogRecord,
): Map<string, LogRecord | null> | null {
  let found: Map<string, LogRecord | null> | null = null;
  for (const { model, of } of overlays) {
    const other = of(record);
    if (other === record) continue;
    found ??= new Map();
    found.set(model, other);
  }
  return found;
}

/** Reveals what was sealed, with the keys of all owners in it loaded at once. */
async function reader(
  { codec, master }: Source,
  keys: Queryable | null,
  sealed: readonly (SealedEvent | null)[],
): Promise<(event: SealedEvent | null) => Reading> {
  const owners = new Set<string>();
  for (const event of sealed) if (typeof event?.owner === 'string') owners.add(event.owner);
  const found = keys ? await loadDataKeys(keys, master, [...owners], { share: false }) : new Map();
  return (event) => {
    if (!event) return { event: null, unrevealed: false };
    const unrevealed = event.owner !== null && !found.has(event.owner);
    return { event: whole(() => codec.reveal(event, (owner) => found.get(owner))), unrevealed };
  };
}

function decoded(codec: Codec<Event>, record: LogRecord): SealedEvent | null {
  return whole(() => codec.decode(record.value));
}

/** null for what no retry will ever read: such records are parked. */
function whole<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Undecodable) return null;
    throw error;
  }
}
