import { type Layout, rowAt } from './bytes/layout.ts';
import { type FactSpec, keyOf, type Row } from './spec.ts';

/** A row, or an entry of a feed, that is not what the log says. */
export interface Difference {
  model: string;
  table: string;
  key: string;
  /** What the log says; null: there should be nothing. */
  expected: Row | null;
  /** What is there; null: nothing is. */
  actual: Row | null;
  columns: string[];
  /** Names of the registers and counts whose events made the row; see marksOf. */
  marks: string[];
}

/** Names what a fact bears on: its register, and the counts that it moves. */
export function marksOf(spec: FactSpec, layout: Layout, row: Row): string[] {
  const own = markOf(spec.model, layout.table, keyOf(layout.columns.slice(0, layout.keyCells), row));
  const counted = spec.counted?.(layout.table, row) ?? [];
  return [own, ...counted.map(({ table, key }) => markOf(spec.model, table, key))];
}

export function markOf(model: string, table: string, key: string): string {
  return `${model}.${table} ${key}`;
}

/** Names whose erasures make a tombstone of the row. */
function erasureMarks({ model, erasure }: FactSpec, table: string, row: Row): string[] {
  const of = erasure?.rows[table]?.of ?? [];
  return of.map((column) => markOf(model, erasure!.people, row[column]!));
}

/** The two rows as bytes (layout.ts), each from where it begins. */
export function rowDifference(
  spec: FactSpec,
  layout: Layout,
  wanted: Buffer | null,
  found: Buffer | null,
): Difference {
  const expected = wanted && rowAt(layout, wanted, 0);
  const actual = found && rowAt(layout, found, 0);
  const row = (expected ?? actual)!;
  const key = keyOf(layout.columns.slice(0, layout.keyCells), row);
  const others = [expected, actual].flatMap((own) => (own ? (spec.follows?.(layout.table, own) ?? []) : []));
  const marks = [
    markOf(spec.model, layout.table, key),
    ...others.map(([table, other]) => markOf(spec.model, table, other)),
    ...[expected, actual].flatMap((own) => (own ? erasureMarks(spec, layout.table, own) : [])),
  ];
  return {
    model: spec.model,
    table: layout.table,
    key,
    expected,
    actual,
    columns: Object.keys(row).filter((name) => (expected?.[name] ?? null) !== (actual?.[name] ?? null)),
    marks: [...new Set(marks)],
  };
}
