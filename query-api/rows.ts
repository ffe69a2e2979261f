import type { Queryable } from '../platform/postgres/pool.ts';
import { uuidArray } from '../platform/postgres/prepared.ts';
import type { ServedModel } from '../platform/postgres/serving.ts';
import { type Gathering, openGathering } from '../platform/process/gathering.ts';
import type { ModelName } from '../schemas/route.ts';

/** Rows of a model's tables that pages are made of, by key. */
export interface RowKind<V> {
  model: ModelName;
  /** One query; `s` is the schema of the version served. What does not exist is missing. */
  load(db: Queryable, s: string, keys: readonly string[]): Promise<Map<string, V>>;
}

/** One query a kind for all requests of the same moment (DESIGN §7). */
export interface Rows {
  ask<V>(kind: RowKind<V>, served: ServedModel, keys: readonly string[]): Promise<Map<string, V>>;
  /** The same, with what was read since the model was last heard to move. */
  recall<V>(kind: RowKind<V>, served: ServedModel, keys: readonly string[]): Promise<Map<string, V>>;
}

export interface RowsParts {
  db: Queryable;
  /** Of the waiter: changes with each commit of the consumer. */
  moves(consumer: string): number;
}

/** Rows remembered of one kind. */
const maxRemembered = 20_000;
/** Milliseconds. What protects people is never older (DESIGN §5); a repair of rows moves no position, either. */
const maxAgeMs = 1_000;

/** What is kept of one kind, of one version of its model: another one begins anew. */
interface Shelf {
  schema: string;
  gather: Gathering<unknown>;
  /** All read since `at`, at the same count of moves. */
  remembered: Map<string, unknown>;
  moves: number;
  at: number;
}

/**
 * A row is remembered while its model stands still: whoever has waited for a position has heard of the move by then, so
 * what is older is passed by (DESIGN §5). What is missing is never remembered: it may come to be at any moment.
 */
export function openRows({ db, moves }: RowsParts): Rows {
  const shelves = new Map<RowKind<unknown>, Shelf>();
  const shelfOf = (kind: RowKind<unknown>, { schema }: ServedModel): Shelf => {
    const known = shelves.get(kind);
    if (known?.schema === schema) return known;
    const shelf = {
      schema,
      gather: openGathering<unknown>((keys) => kind.load(db, schema, keys)),
      ...{ remembered: new Map<string, unknown>(), moves: 0, at: 0 },
    };
    shelves.set(kind, shelf);
    return shelf;
  };
  const rememberedOf = (shelf: Shelf, { consumer }: ServedModel): Map<string, unknown> => {
    const [moved, now] = [moves(consumer), performance.now()];
    const fresh = shelf.moves === moved && now - shelf.at < maxAgeMs;
    if (!fresh || shelf.remembered.size > maxRemembered)
      Object.assign(shelf, { remembered: new Map(), moves: moved, at: now });
    return shelf.remembered;
  };

  return {
    async ask<V>(kind: RowKind<V>, served: ServedModel, keys: readonly string[]) {
      if (keys.length === 0) return new Map<string, V>();
      const found = await shelfOf(kind, served).gather(keys);
      return pick(keys, (key) => found.get(key)) as Map<string, V>;
    },
    async recall<V>(kind: RowKind<V>, served: ServedModel, keys: readonly string[]) {
      const shelf = shelfOf(kind, served);
      // What is read from now on belongs to this moment; a later one has a map of its own.
      const remembered = rememberedOf(shelf, served);
      const rows = pick(keys, (key) => remembered.get(key));
      const missing = rows.size === keys.length ? [] : keys.filter((key) => !rows.has(key));
      if (missing.length === 0) return rows as Map<string, V>;
      const found = await shelf.gather(missing);
      for (const key of missing) {
        const row = found.get(key);
        if (row === undefined) continue;
        remembered.set(key, row);
        rows.set(key, row);
      }
      return rows as Map<string, V>;
    },
  };
}

function pick(keys: readonly string[], of: (key: string) => unknown): Map<string, unknown> {
  const picked = new Map<string, unknown>();
  for (const key of keys) {
    const row = of(key);
    if (row !== undefined) picked.set(key, row);
  }
  return picked;
}

/** The key of rows that stand between two. */
export function pairKey(one: string, other: string): string {
  return `${one} ${other}`;
}

/** The columns of pairs, as parameters of a query. */
export function pairColumns(keys: readonly string[]): [string, string] {
  const ends = keys.map((key) => key.split(' '));
  return [uuidArray(ends.map(([one]) => one!)), uuidArray(ends.map(([, other]) => other!))];
}
