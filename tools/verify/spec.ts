import type { Event } from '../../schemas/generated/events.ts';

/** A value in its canonical text; times are milliseconds since the epoch. */
export type Cell = string | null;
export type Row = Record<string, Cell>;

/** How a column is turned into its canonical text in SQL. */
export type ColumnKind = 'plain' | 'time' | 'ids' | 'json';

export interface TableSpec {
  name: string;
  key: readonly string[];
  /** The key column that says in which pass the row is compared. */
  bucketBy: string;
  columns: Readonly<Record<string, ColumnKind>>;
  /** Columns shown as a digest only. */
  personal?: readonly string[];
}

/** What one event says about one register; the newest (event time, event id) holds. */
export interface Write {
  table: string;
  row: Row;
  live: boolean;
}

/** A register as the events so far leave it: `row` has live, event_time and event_id too. */
export interface Register {
  row: Row;
  live: boolean;
  time: number;
  id: string;
}

/** The registers of one pass, by table and key. */
export type Registers = ReadonlyMap<string, ReadonlyMap<string, Register>>;

/** What a model's tables must hold, said once more and on its own (DESIGN §6: no code shared with the models). */
export interface FactSpec {
  model: string;
  topics: readonly string[];
  tables: readonly TableSpec[];
  /** Tables that are no function of the log. */
  besides?: readonly string[];
  writes(event: Event): Write[];
  /** Ids in whose passes the register is needed: of its own row, and of rows that are derived from it. */
  neededBy(write: { table: string; row: Row }): string[];
  /** Rows of the tables that are not registers, and columns that follow from other registers. */
  derive?(registers: Registers, add: (table: string, row: Row) => void): void;
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

/** Adds to a counter's row, making it where it is missing: a key that was touched has a row, even of 0. */
export function createCounts(key: string, columns: readonly string[]) {
  const rows = new Map<string, Record<string, number>>();
  return {
    count(id: string, column: string, live: boolean): void {
      const row = rows.get(id) ?? Object.fromEntries(columns.map((name) => [name, 0]));
      rows.set(id, row);
      row[column] = row[column]! + (live ? 1 : 0);
    },
    *rows(): Generator<Row> {
      for (const [id, counts] of rows) {
        yield {
          [key]: id,
          ...Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, String(n)])),
        };
      }
    },
  };
}
