import type { Event } from '../../schemas/generated/events.ts';
import { type FactSpec, keyOf, type Register, type Row, type Write } from './spec.ts';

/** Which of how many passes. */
export interface Bucket {
  index: number;
  of: number;
}

/** The last 32 bits of a UUIDv7 are random: in SQL `('x' || right(id::text, 8))::bit(32)::bigint % of`. */
export function isIn(bucket: Bucket, id: string): boolean {
  return Number.parseInt(id.slice(-8), 16) % bucket.of === bucket.index;
}

/** Folds the events of one pass into registers, then into all rows that the tables must have. */
export interface Fold {
  take(event: Event): void;
  registers(): Map<string, Map<string, Register>>;
  /** Expected rows of this pass by table and key. */
  rows(): Map<string, Map<string, Row>>;
}

export function createFold(spec: FactSpec, bucket: Bucket): Fold {
  const registers = new Map(spec.tables.map((table) => [table.name, new Map<string, Register>()]));
  const keys = new Map(spec.tables.map((table) => [table.name, table.key]));
  const write = (event: Event, change: Write): void => {
    if (!spec.neededBy(change).some((id) => isIn(bucket, id))) return;
    const table = registers.get(change.table)!;
    const key = keyOf(keys.get(change.table)!, change.row);
    const { time, id } = event.meta;
    const known = table.get(key);
    if (known && (known.time > time || (known.time === time && known.id >= id))) return;
    table.set(key, { row: change.row, live: change.live, time, id });
  };
  return {
    take(event) {
      for (const change of spec.writes(event)) write(event, change);
    },
    registers: () => registers,
    rows: () => rowsOf(spec, registers, bucket),
  };
}

function rowsOf(
  spec: FactSpec,
  registers: Map<string, Map<string, Register>>,
  bucket: Bucket,
): Map<string, Map<string, Row>> {
  const derived: [string, Row][] = [];
  spec.derive?.(registers, (table, row) => derived.push([table, row]));
  const rows = new Map(spec.tables.map((table) => [table.name, new Map<string, Row>()]));
  for (const table of spec.tables) {
    const own = rows.get(table.name)!;
    const add = (row: Row): void => {
      if (isIn(bucket, row[table.bucketBy]!)) own.set(keyOf(table.key, row), row);
    };
    for (const { row, live, time, id } of registers.get(table.name)!.values()) {
      add(Object.assign(row, { live: String(live), event_time: String(time), event_id: id }));
    }
    for (const [name, row] of derived) if (name === table.name) add(row);
  }
  return rows;
}
