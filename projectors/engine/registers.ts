import type { Change } from './model.ts';

/** A change with the event that made it. */
export interface StampedChange extends Change {
  eventTime: number;
  eventId: string;
}

/**
 * The newest change of each row, so that one statement touches a row once. Only the newest can win in the table too,
 * because what it replaces there is compared by the same (event time, event id).
 */
export function newestPerRow(
  changes: readonly StampedChange[],
  keyOf: (table: string) => readonly string[],
): Map<string, StampedChange[]> {
  const tables = new Map<string, Map<string, StampedChange>>();
  for (const change of changes) {
    const rows = tables.get(change.table) ?? new Map<string, StampedChange>();
    tables.set(change.table, rows);
    const id = keyOf(change.table)
      .map((column) => change.row[column])
      .join('|');
    const known = rows.get(id);
    if (!known || isOlder(known, change)) rows.set(id, change);
  }
  return new Map([...tables].map(([table, rows]) => [table, [...rows.values()]]));
}

function isOlder(a: StampedChange, b: StampedChange): boolean {
  return a.eventTime < b.eventTime || (a.eventTime === b.eventTime && a.eventId < b.eventId);
}
