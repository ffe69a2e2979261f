import type { Event } from '../../schemas/generated/events.ts';

/** A value in its canonical text; times are milliseconds since the epoch. */
export type Cell = string | null;
export type Row = Record<string, Cell>;

/** How a column is turned into its canonical text in SQL. */
export type ColumnKind = 'plain' | 'time' | 'ids' | 'json';

/** A table whose rows are registers: the newest (event time, event id) of a key holds, deletions stay as tombstones. */
export interface TableSpec {
  name: string;
  key: readonly string[];
  /** Rows that have this id in common are folded together; by their own keys when not said. */
  bucketBy?: string;
  columns: Readonly<Record<string, ColumnKind>>;
  /** Columns that `complete` says, not the events. */
  completed?: readonly string[];
  /** What people wrote: kept and shown as digests only. */
  personal?: { columns: readonly string[]; owner: string };
}

/** A table of counts of live rows, one row a key that was ever touched. */
export interface CountSpec {
  name: string;
  key: string;
  columns: readonly string[];
}

/** Whom an erasure makes tombstones of, by register. */
export interface ErasureSpec {
  /** The register of who was erased. */
  people: string;
  rows: Readonly<Record<string, { of: readonly string[]; keeps?: readonly string[] }>>;
}

/** What one event says about one register; the newest (event time, event id) holds. */
export interface Write {
  table: string;
  row: Row;
  live: boolean;
}

/** Says that a row is one of those that a column of a count counts, or that it only touches that count. */
export interface Counted {
  table: string;
  key: string;
  column: string;
  counts: boolean;
}

/** The rows of the registers that are folded together. */
export interface Registers {
  get(table: string, ...key: string[]): Row | undefined;
}

/** What a model's tables must hold, said once more and on its own (DESIGN §6: no code shared with the models). */
export interface FactSpec {
  model: string;
  /** Which version of the model's code this says again (engine.version.definition), and later ones that change nothing. */
  definition: number;
  topics: readonly string[];
  tables: readonly TableSpec[];
  counts?: readonly CountSpec[];
  /** A row of who was erased is not live and keeps its key, and what `keeps` names, whatever its own events say. */
  erasure?: ErasureSpec;
  /** Tables that are no function of the log. */
  besides?: readonly string[];
  /** Nobody reads it, so engine.serving does not have it; a reactor's facts. */
  unserved?: boolean;
  /** Rows are committed before the position is saved (DESIGN §2 rule 3). */
  rowsFirst?: boolean;
  writes(event: Event): Write[];
  /** Columns that follow from other registers of the same bucket; `row` has live, event_time and event_id too. */
  complete?(table: string, row: Row, registers: Registers): Row;
  /** Other registers that this row follows from, as (table, key). */
  follows?(table: string, row: Row): [table: string, key: string][];
  counted?(table: string, row: Row): Counted[];
}

export function keyOf(key: readonly string[], row: Row): string {
  return key.map((column) => row[column]).join(' ');
}

export const registerColumns = { live: 'plain', event_time: 'time', event_id: 'plain' } as const;

/** JSON with sorted keys and no spaces, so that equal values have equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, inner]) => `${JSON.stringify(name)}:${canonicalJson(inner)}`)
    .join(',')}}`;
}
