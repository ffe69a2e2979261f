import { arrayParam } from '../../platform/postgres/binary.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';
import type { Counter, Model, SeenEvent, StampedChange } from './model.ts';
import { newestPerRow, stampedChanges } from './registers.ts';

interface Column {
  name: string;
  type: string;
  nullable: boolean;
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
  /** Makes tombstones of the rows of these people ($1) and gives their ids; null: an erasure does not concern it. */
  eraseSql: string | null;
  /** The same for all who are erased, moving no counter. */
  eraseAllSql: string | null;
}

/** The registers of a model as they stand in its Postgres schema; the table text is the only place that says them. */
export async function readTables(
  pool: Queryable,
  model: Model,
  schema: string,
): Promise<Map<string, RegisterTable>> {
  const { rows } = await pool.query(
    `SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
            NOT a.attnotnull AS nullable,
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
    const key = own.filter((row) => row.key).map((row) => row.name as string);
    const shape: Shape = {
      name,
      key,
      columns: own.map(({ name, type, nullable }) => ({ name, type, nullable })),
      people: model.erasure && `${schema}.${model.erasure.people}`,
      ownedBy: model.erasure?.rows[name] ?? [],
    };
    const counters = model.counters.filter((counter) => counter.from === name && !counter.of);
    tables.set(name, {
      name,
      key,
      columns: shape.columns,
      sql: registerSql(schema, shape, counters),
      forcedSql: forcedSql(schema, shape),
      eraseSql: shape.ownedBy.length > 0 ? eraseSql(schema, shape, counters) : null,
      eraseAllSql: shape.ownedBy.length > 0 ? eraseAllSql(schema, shape) : null,
    });
  }
  return tables;
}

/** A register as its statements are made of it. */
interface Shape {
  name: string;
  key: string[];
  columns: Column[];
  /** The register of who was erased. */
  people: string | undefined;
  /** The columns that say whose a row is. */
  ownedBy: readonly string[];
}

/** Rows go in by key order, so that two processes never wait for each other in a ring. What is of somebody erased is a tombstone. */
function upsertSql(schema: string, { name: table, key, columns, people, ownedBy }: Shape): string {
  const names = columns.map((column) => column.name).join(', ');
  const erased = ownedBy.map((owner, n) => `LEFT JOIN ${people} e${n} ON e${n}.user_id = n.${owner}`);
  const stands = ownedBy.map((_, n) => `e${n}.user_id IS NULL`).join(' AND ');
  const values = columns.map((column) => {
    const said = isArray(column) ? `n.${column.name}::${column.type}` : `n.${column.name}`;
    if (stands === '' || key.includes(column.name)) return said;
    if (column.name === 'live') return `${said} AND ${stands}`;
    return column.nullable ? `CASE WHEN ${stands} THEN ${said} END` : said;
  });
  const input = columns.map((column, index) => `$${index + 1}::${isArray(column) ? 'text' : column.type}[]`);
  const updates = columns
    .filter((column) => !key.includes(column.name))
    .map((column) => `${column.name} = excluded.${column.name}`);
  const order = key.map((column) => `n.${column}`).join(', ');
  return `
    INSERT INTO ${schema}.${table} AS t (${names})
    SELECT ${values.join(', ')} FROM unnest(${input.join(', ')}) AS n (${names}) ${erased.join(' ')} ORDER BY ${order}
    ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${updates.join(', ')}`;
}

function forcedSql(schema: string, shape: Shape): string {
  const rowOf = (alias: string): string =>
    shape.columns.map((column) => `${alias}.${column.name}`).join(', ');
  return `${upsertSql(schema, shape)}
    WHERE (${rowOf('t')}) IS DISTINCT FROM (${rowOf('excluded')})`;
}

/**
 * One statement a register: insert or replace what is older, and move the counters by the rows that really changed.
 */
function registerSql(schema: string, shape: Shape, counters: Counter[]): string {
  const upsert = `${upsertSql(schema, shape)}
    WHERE (t.event_time, t.event_id) < (excluded.event_time, excluded.event_id)`;
  if (counters.length === 0) return upsert;
  const { ctes, last } = countSteps(schema, counters);
  const moved = 'new.live::int - coalesce(old.live, false)::int AS moved';
  return `WITH changed AS (${upsert} RETURNING ${[...counted(counters).map((c) => `new.${c}`), moved].join(', ')})${ctes}
    ${last}`;
}

/** Leaves of a row what a tombstone has: its key, whose it was, and the stamp of what it was last written by. */
function tombstoneSql(schema: string, { name, key, columns, ownedBy }: Shape, whom: string): string {
  const emptied = columns.filter((column) => column.nullable && !key.includes(column.name));
  const sets = ['live = false', ...emptied.map((column) => `${column.name} = NULL`)].join(', ');
  const whose = ownedBy.map((column) => `${column} = ANY(${whom})`).join(' OR ');
  return `UPDATE ${schema}.${name} SET ${sets} WHERE live AND (${whose})`;
}

function eraseSql(schema: string, shape: Shape, counters: Counter[]): string {
  const ids = [...new Set([...shape.key, ...shape.ownedBy, ...counted(counters)])].join(', ');
  const update = `${tombstoneSql(schema, shape, '$1::uuid[]')} RETURNING ${ids}, -1 AS moved`;
  const { ctes, last } = countSteps(schema, counters);
  const all = last === '' ? ctes : `${ctes}, counted_last AS (${last})`;
  return `WITH changed AS (${update})${all} SELECT ${ids} FROM changed`;
}

function eraseAllSql(schema: string, shape: Shape): string {
  return tombstoneSql(schema, shape, `ARRAY(SELECT user_id FROM ${shape.people})`);
}

function counted(counters: Counter[]): string[] {
  return [...new Set(counters.flatMap((counter) => Object.values(counter.key)))];
}

/** What moves the counters by the rows of `changed`: the last statement, and those before it as parts of its WITH. */
function countSteps(schema: string, counters: Counter[]): { ctes: string; last: string } {
  const steps = [...Map.groupBy(counters, (counter) => counter.into)].map(([into, group]) =>
    counterSql(schema, into, group),
  );
  const ctes = steps.slice(0, -1).map((sql, index) => `, counted_${index} AS (${sql})`);
  return { ctes: ctes.join(''), last: steps.at(-1) ?? '' };
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
  events: readonly SeenEvent[],
): RegisterWrites {
  const changes = stampedChanges(model, events);
  const newest = newestPerRow(changes, (name) => tables.get(name)!.key);
  const statements = [...tables.values()].flatMap((table) => {
    const rows = newest.get(table.name);
    return rows ? [{ sql: table.sql, params: registerParams(table, rows) }] : [];
  });
  return { changes, statements };
}
