import type { Event } from '../../schemas/generated/events.ts';
import { type FactSpec, keyOf, type Row, type TableSpec } from './spec.ts';

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
  /** Marks of the events that made the row; see marksOf. */
  marks: string[];
  /** Marks of events that may change it while it is being looked at. */
  inputs: string[];
}

/** Names what an event bears on: its registers, and the ids whose derived rows it moves. */
export function marksOf(spec: FactSpec, event: Event): string[] {
  const keys = new Map(spec.tables.map((table) => [table.name, table.key]));
  return spec
    .writes(event)
    .flatMap((write) => [
      `${spec.model}.${write.table} ${keyOf(keys.get(write.table)!, write.row)}`,
      ...spec.neededBy(write).map((id) => `${spec.model} ${id}`),
    ]);
}

export function rowDifference(
  spec: FactSpec,
  table: TableSpec,
  expected: Row | null,
  actual: Row | null,
): Difference {
  const row = (expected ?? actual)!;
  const key = keyOf(table.key, row);
  const isRegister = 'event_id' in table.columns;
  const mark = isRegister ? `${spec.model}.${table.name} ${key}` : `${spec.model} ${row[table.bucketBy]}`;
  const media = row.media_ids ? row.media_ids.split(',').map((id) => `${spec.model}.post_media ${id}`) : [];
  return {
    model: spec.model,
    table: table.name,
    key,
    expected: expected && masked(table, expected),
    actual: actual && masked(table, actual),
    columns: Object.keys(table.columns).filter((c) => (expected?.[c] ?? null) !== (actual?.[c] ?? null)),
    marks: [mark, ...media],
    inputs: [mark],
  };
}

/** Whoever runs this need not see what people wrote: lengths tell enough apart. */
function masked(table: TableSpec, row: Row): Row {
  const shown = { ...row };
  for (const column of table.personal ?? []) {
    const text = shown[column];
    if (typeof text === 'string') shown[column] = `‹personal, ${text.length} characters›`;
  }
  return shown;
}
