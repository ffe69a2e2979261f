import { changesOf, type Model, type SeenEvent, type StampedChange } from './model.ts';

/** The changes of these events. Each is the model's own object with the stamp put on: a copy of each would cost more. */
export function stampedChanges(model: Model, events: readonly SeenEvent[]): StampedChange[] {
  const changes: StampedChange[] = [];
  for (const event of events) {
    for (const change of changesOf(model, event) as StampedChange[]) {
      change.eventTime = event.meta.time;
      change.eventId = event.meta.id;
      changes.push(change);
    }
  }
  return changes;
}

/**
 * The newest change of each row, so that one statement touches a row once. Only the newest can win in the table too,
 * because what it replaces there is compared by the same (event time, event id).
 */
export function newestPerRow(
  changes: readonly StampedChange[],
  keyOf: (table: string) => readonly string[],
): Map<string, StampedChange[]> {
  const tables = new Map<string, { key: readonly string[]; rows: Map<string, StampedChange> }>();
  for (const change of changes) {
    let table = tables.get(change.table);
    if (!table) {
      table = { key: keyOf(change.table), rows: new Map() };
      tables.set(change.table, table);
    }
    const id = idOf(change, table.key);
    const known = table.rows.get(id);
    if (!known || isOlder(known, change)) table.rows.set(id, change);
  }
  return new Map([...tables].map(([name, { rows }]) => [name, [...rows.values()]]));
}

function idOf({ row }: StampedChange, key: readonly string[]): string {
  let id = '';
  for (const column of key) id += `${row[column]}|`;
  return id;
}

function isOlder(a: StampedChange, b: StampedChange): boolean {
  return a.eventTime < b.eventTime || (a.eventTime === b.eventTime && a.eventId < b.eventId);
}
