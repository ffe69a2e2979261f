import { type ColumnKind, type FactSpec, type Row, registerColumns } from '../spec.ts';
import {
  afterCell,
  cellAt,
  type Digest,
  hashOf,
  packUuid,
  putCell,
  putPersonal,
  reserve,
  type Scratch,
  uuidAt,
} from './cells.ts';

/**
 * How rows of one table lie in bytes. A register begins with live (1 byte), event time (8, microseconds) and event id
 * (16), so that the newer of two is the one whose 24 bytes are greater; then come the cells, the key's first.
 */
export interface Layout {
  table: string;
  /** Which of its model's tables. */
  index: number;
  isRegister: boolean;
  /** The columns of the cells: the key, what events say, what follows from other rows. */
  columns: readonly string[];
  kinds: readonly ColumnKind[];
  keyCells: number;
  completedCells: number;
  /** The cell whose bytes say which bucket; -1: all of the key. */
  bucketCell: number;
  personal: ReadonlySet<string>;
  /** Of the personal columns: whose data key they are read with. */
  owner: string | null;
}

export const stampStart = 1;
const idStart = 9;
export const stampEnd = 25;
/** Of an id as text. */
const idBytes = 36;

/** Of every table of a model: registers first, then counts. */
export function layoutsOf(spec: FactSpec): Layout[] {
  const registers = spec.tables.map((table, index): Layout => {
    const completed = table.completed ?? [];
    const said = Object.keys(table.columns).filter(
      (name) => !(name in registerColumns) && !table.key.includes(name) && !completed.includes(name),
    );
    const columns = [...table.key, ...said, ...completed];
    return {
      table: table.name,
      index,
      isRegister: true,
      columns,
      kinds: columns.map((name) => table.columns[name]!),
      keyCells: table.key.length,
      completedCells: completed.length,
      bucketCell: table.bucketBy ? columns.indexOf(table.bucketBy) : -1,
      personal: new Set(table.personal?.columns),
      owner: table.personal?.owner ?? null,
    };
  });
  const counts = (spec.counts ?? []).map((count, index): Layout => {
    const columns = [count.key, ...count.columns];
    const kinds = columns.map((): ColumnKind => 'plain');
    const none = { completedCells: 0, bucketCell: -1, personal: new Set<string>(), owner: null };
    return {
      table: count.name,
      index: registers.length + index,
      isRegister: false,
      columns,
      kinds,
      keyCells: 1,
      ...none,
    };
  });
  return [...registers, ...counts];
}

/** What events say of a register, as bytes; completed columns are left out. False: the event's id is no UUID. */
export function putRegister(
  scratch: Scratch,
  layout: Layout,
  row: Row,
  stamp: { live: boolean; time: number; id: string },
  digest: Digest,
): boolean {
  if (!putStamp(scratch, stamp)) return false;
  const said = layout.columns.length - layout.completedCells;
  for (let cell = 0; cell < said; cell += 1) {
    const name = layout.columns[cell]!;
    if (layout.personal.has(name)) putPersonal(scratch, row[name], digest);
    else putCell(scratch, stored(layout.kinds[cell]!, row[name] ?? null));
  }
  return true;
}

function putStamp(
  scratch: Scratch,
  { live, time, id }: { live: boolean; time: number; id: string },
): boolean {
  reserve(scratch, stampEnd + idBytes);
  const { bytes, length } = scratch;
  const micros = time * 1_000;
  bytes[length] = live ? 1 : 0;
  bytes.writeUInt32BE(Math.floor(micros / 2 ** 32), length + stampStart);
  bytes.writeUInt32BE(micros % 2 ** 32, length + stampStart + 4);
  bytes.write(id.slice(0, idBytes), length + idStart, 'latin1');
  scratch.length += stampEnd;
  return id.length === idBytes && packUuid(bytes, length + idStart, length + idStart);
}

/** Adds the columns that follow from other rows to a row as it was put. */
export function completedBytes(scratch: Scratch, layout: Layout, said: Buffer, row: Row): Buffer {
  scratch.length = 0;
  for (const name of layout.columns.slice(layout.columns.length - layout.completedCells))
    putCell(scratch, row[name]);
  return Buffer.concat([said, scratch.bytes.subarray(0, scratch.length)]);
}

const stored = (kind: ColumnKind, value: string | null): string | null =>
  kind === 'time' && value !== null ? `${value}000` : value;

/** Microseconds as milliseconds, so that both sides of a difference read alike. */
const shown = (kind: ColumnKind, value: string | null): string | null =>
  kind === 'time' && value !== null ? milliseconds(BigInt(value)) : value;

function milliseconds(micros: bigint): string {
  return micros % 1_000n === 0n ? String(micros / 1_000n) : (Number(micros) / 1_000).toFixed(3);
}

/** A row again, from where it begins in these bytes up to their end. */
export function rowAt(layout: Layout, bytes: Buffer, start: number): Row {
  const row: Row = {};
  let at = layout.isRegister ? start + stampEnd : start;
  for (let cell = 0; cell < layout.columns.length && at < bytes.length; cell += 1) {
    row[layout.columns[cell]!] = shown(layout.kinds[cell]!, cellAt(bytes, at));
    at = afterCell(bytes, at);
  }
  if (!layout.isRegister) return row;
  row.live = String(bytes[start] === 1);
  row.event_time = milliseconds(bytes.readBigUInt64BE(start + stampStart));
  row.event_id = uuidAt(bytes, start + idStart);
  return row;
}

/** Where the cells of the key begin and end. */
export function keySpan(layout: Layout, bytes: Buffer, start: number): [from: number, to: number] {
  const from = layout.isRegister ? start + stampEnd : start;
  return [from, cellsEnd(bytes, from, layout.keyCells)];
}

/** A number that rows which must be folded together have in common. */
export function bucketHash(layout: Layout, bytes: Buffer, start: number): number {
  const [from, to] = keySpan(layout, bytes, start);
  if (layout.bucketCell === -1) return hashOf(bytes, from, to);
  const at = cellsEnd(bytes, from, layout.bucketCell);
  return hashOf(bytes, at, afterCell(bytes, at));
}

function cellsEnd(bytes: Buffer, from: number, cells: number): number {
  let at = from;
  for (let cell = 0; cell < cells; cell += 1) at = afterCell(bytes, at);
  return at;
}
