import type { Envelope, EventOf, EventType } from '../../schemas/generated/events.ts';
import type { Topic } from '../../schemas/topics.ts';

/**
 * One write to one register: a row of a table whose newest (event time, event id) wins. `row` has the key and every
 * column of the table but live, event_time and event_id; what it leaves out becomes null. `live: false` is a tombstone.
 */
export interface Change {
  table: string;
  row: Record<string, unknown>;
  live: boolean;
}

/** A change with the event that made it. */
export interface StampedChange extends Change {
  eventTime: number;
  eventId: string;
}

/**
 * A column of `into` that counts rows of `from`. It moves only by rows that really changed. `key` maps columns of
 * `into` to columns of `from`, which must never change during a row's life.
 */
export interface Counter {
  from: string;
  into: string;
  key: Record<string, string>;
  column: string;
  /** The column of `from` that says whether a row counts: `live`, or one that a derivation settles and moves it by. */
  of?: string;
}

/** Columns and counts that follow from rows of several keys, settled after the registers in the same transaction. */
export interface Derivation {
  /** A SELECT of the keys of what a round touched, locked; its parameters are those of params(). */
  touched(schema: string): string;
  /** The same for all there is, without parameters: after the bulk path of a rebuild. */
  every(schema: string): string;
  /** The statement that settles these keys and moves the counters that count them. */
  settle(schema: string, keys: string): string;
  params(changes: readonly Change[]): unknown[];
}

/** Of the envelope a model sees these; the rest, the larger part of a small event, is not even decoded. */
export const envelopeSeen = ['id', 'time', 'correlation'] as const satisfies (keyof Envelope)[];

/**
 * Whose rows an erasure makes tombstones of, in whatever order the two arrive: a row counts as live only while nobody
 * whom it is of is in `people`, a register of (user_id) which UserErased fills.
 */
export interface Erasure {
  people: string;
  /** By register: the columns that say whose a row is. */
  rows: Record<string, readonly string[]>;
}

/** An event as a model sees it. */
export type Seen<T extends EventType> = Omit<EventOf<T>, 'meta'> & {
  meta: Pick<Envelope, (typeof envelopeSeen)[number]>;
};
export type SeenEvent = { [T in EventType]: Seen<T> }[EventType];

/** A read model: data and pure functions. The engine owns all the rest. */
export interface Model {
  name: string;
  /** Of this code: one more for every change of what it makes, so that a deploy rebuilds it beside the served one. */
  version: number;
  topics: readonly Topic[];
  /** A reactor's own facts: no reader is led to them. */
  unserved?: true;
  /** The tables, below schemas/. */
  sqlFile: string;
  /** Registers it writes; each merges by (event time, event id), so events of any keys may come in any order. */
  registers: readonly string[];
  counters: readonly Counter[];
  erasure?: Erasure;
  on: { [T in EventType]?: (event: Seen<T>) => Change[] };
  /** The id that ties together events whose rows a derivation joins: their rounds wait for each other. */
  lockOf?(event: SeenEvent): string | null;
  derivations?: readonly Derivation[];
}

export function defineModel(model: Model): Model {
  return model;
}

export function put(table: string, row: Record<string, unknown>): Change {
  return { table, row, live: true };
}

/** A tombstone: the key stays, so that an older event arriving late still loses. */
export function remove(table: string, key: Record<string, unknown>): Change {
  return { table, row: key, live: false };
}

/** The register that models keep of who was erased, and what an erasure writes there. */
export const erasedPeople = 'erased_person';

export function erase(event: Seen<'UserErased'>): Change[] {
  return [put(erasedPeople, { user_id: event.userId })];
}

/** Milliseconds of an event as a timestamptz column takes them. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** What a model made of one record by itself failed, and fails each time: the record is parked (DESIGN §2 rule 6). */
export class Unappliable extends Error {
  override name = 'Unappliable';
}

/** Pure work on one event. Throws Unappliable. */
export function madeOf<E extends SeenEvent, T>(event: E, work: (event: E) => T): T {
  try {
    return work(event);
  } catch (error) {
    throw new Unappliable(`a model can make nothing of ${event.type}`, { cause: error });
  }
}

/** The changes of one event, none when the model does not take its type. Throws Unappliable. */
export function changesOf(model: Model, event: SeenEvent): Change[] {
  const handler = model.on[event.type] as ((event: SeenEvent) => Change[]) | undefined;
  return handler ? madeOf(event, handler) : [];
}
