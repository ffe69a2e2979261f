import { arrayParam } from '../../platform/postgres/binary.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';
import type { Event } from '../../schemas/generated/events.ts';
import type { Counter, Model } from './model.ts';
import { newestPerRow, type StampedChange, stampedChanges } from './registers.ts';

interface Column {
  name: string;
  type: string;
}

/** How one register is written: its statement, its key, and the order of its columns. */
export interface RegisterTable {
  name: string;
  key: string[];
  columns: Column[];
  /** A round: the newest wins, and counters move. */
  sql: string;
  /** A repair: the given rows win over whatever is there; gives how many were other. */
  forcedSql: string;
}

/** The registers of a model as they stand in its Postgres schema; the table text is the only place that says them. */
export async function readTables(
  pool: Queryable,
  model: Model,
  schema: string,
): Promise<Map<string, RegisterTable>> {
  const { rows } = await pool.query(
    `SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
            coalesce(a.attnum = ANY(i.indkey), false) AS key
     FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
     WHERE n.nspname = $1 AND c.relkind = 'r' AND a.attgenerated = '' AND c.relname = ANY($2)
       AND NOT (a.atthasdef AND a.attname <> 'live')
     ORDER BY c.relname, a.attnum`,
    [schema, model.registers],
  );
  const tables = new Map<string, RegisterTable>();
  for (const name of model.registers) {
    const own = rows.filter((row) => row.table === name);
    if (own.length === 0) throw new Error(`${model.sqlFile} makes no table ${name}`);
    const columns = own.map((row) => ({ name: row.name as string, type: row.type as string }));
    const key = own.filter((row) => row.key).map((row) => row.name as string);
    const counters = model.counters.filter((counter) => counter.from === name && !counter.of);
    const sql = registerSql(schema, name, key, columns, counters);
    tables.set(name, { name, key, columns, sql, forcedSql: forcedSql(schema, name, key, columns) });
  }
  return tables;
}

/** Rows go in by key order, so that two processes never wait for each other in a ring. */
function upsertSql(schema: string, table: string, key: string[], columns: Column[]): string {
  const names = columns.map((column) => column.name).join(', ');
  const values = columns.map((column) =>
    isArray(column) ? `n.${column.name}::${column.type}` : `n.${column.name}`,
  );
  const input = columns.map((column, index) => `$${index + 1}::${isArray(column) ? 'text' : column.type}[]`);
  const updates = columns
    .filter((column) => !key.includes(column.name))
    .map((column) => `${column.name} = excluded.${column.name}`);
  return `
    INSERT INTO ${schema}.${table} AS t (${names})
    SELECT ${values.join(', ')} FROM unnest(${input.join(', ')}) AS n (${names}) ORDER BY ${key.join(', ')}
    ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${updates.join(', ')}`;
}

function forcedSql(schema: string, table: string, key: string[], columns: Column[]): string {
  const rowOf = (alias: string): string => columns.map((column) => `${alias}.${column.name}`).join(', ');
  return `${upsertSql(schema, table, key, columns)}
    WHERE (${rowOf('t')}) IS DISTINCT FROM (${rowOf('excluded')})`;
}

/**
 * One statement a register: insert or replace what is older, and move the counters by the rows that really changed.
 */
function registerSql(
  schema: string,
  table: string,
  key: string[],
  columns: Column[],
  counters: Counter[],
): string {
  const counted = [...new Set(counters.flatMap((counter) => Object.values(counter.key)))];
  const upsert = `${upsertSql(schema, table, key, columns)}
    WHERE (t.event_time, t.event_id) < (excluded.event_time, excluded.event_id)`;
  if (counters.length === 0) return upsert;
  const moved = 'new.live::int - coalesce(old.live, false)::int AS moved';
  const steps = [...Map.groupBy(counters, (counter) => counter.into)].map(([into, group]) =>
    counterSql(schema, into, group),
  );
  const ctes = steps.slice(0, -1).map((sql, index) => `, counted_${index} AS (${sql})`);
  return `WITH changed AS (${upsert} RETURNING ${[...counted.map((c) => `new.${c}`), moved].join(', ')})${ctes.join('')}
    ${steps.at(-1)}`;
}

/** Every touched key gets its row, even when it moved by nothing: then any split into batches makes the same rows. */
function counterSql(schema: string, into: string, counters: Counter[]): string {
  const key = Object.keys(counters[0]!.key);
  const columns = counters.map((counter) => counter.column);
  const parts = counters.map((counter, index) => {
    const keys = key.map((column) => `${counter.key[column]} AS ${column}`);
    const moves = counters.map((_, other) => (other === index ? 'moved' : '0'));
    return `SELECT ${[...keys, ...moves.map((move, i) => `${move} AS ${columns[i]}`)].join(', ')} FROM changed`;
  });
  return `INSERT INTO ${schema}.${into} AS c (${[...key, ...columns].join(', ')})
    SELECT ${[...key, ...columns.map((column) => `sum(${column})`)].join(', ')}
    FROM (${parts.join(' UNION ALL ')}) AS m GROUP BY ${key.join(', ')} ORDER BY ${key.join(', ')}
    ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${columns.map((c) => `${c} = c.${c} + excluded.${c}`).join(', ')}`;
}

function isArray(column: Column): boolean {
  return column.type.endsWith('[]');
}

/** The column arrays of the statement. unnest would flatten arrays of arrays, so those go as text. */
export function registerParams(table: RegisterTable, changes: readonly StampedChange[]): Buffer[] {
  return table.columns.map((column) => {
    const own = columnOf(column);
    return arrayParam(isArray(column) ? 'text' : column.type, changes.map(own));
  });
}

function columnOf(column: Column): (change: StampedChange) => unknown {
  const { name } = column;
  if (name === 'live') return (change) => change.live;
  if (name === 'event_time') return (change) => change.eventTime;
  if (name === 'event_id') return (change) => change.eventId;
  if (isArray(column)) return ({ row }) => row[name] && `{${(row[name] as string[]).join(',')}}`;
  return ({ row }) => row[name];
}

/** What events amount to in the registers of a build. */
export interface RegisterWrites {
  changes: StampedChange[];
  /** One statement each, with the newest change of each row. */
  statements: { sql: string; params: Buffer[] }[];
}

/** The tables are those of the model, by name. */
export function registerWrites(
  model: Model,
  tables: ReadonlyMap<string, RegisterTable>,
  events: readonly Event[],
): RegisterWrites {
  const changes = stampedChanges(model, events);
  const newest = newestPerRow(changes, (name) => tables.get(name)!.key);
  const statements = [...tables.values()].flatMap((table) => {
    const rows = newest.get(table.name);
    return rows ? [{ sql: table.sql, params: registerParams(table, rows) }] : [];
  });
  return { changes, statements };
}
