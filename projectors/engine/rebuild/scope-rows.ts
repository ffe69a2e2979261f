import type { Client, Queryable } from '../../../platform/postgres/pool.ts';
import { loadDataKeys } from '../../../platform/vault/data-keys.ts';
import type { Installed } from '../apply.ts';
import { type Counter, changesOf, type StampedChange } from '../model.ts';
import type { Engine } from '../runner.ts';
import { type RegisterTable, registerParams } from '../tables.ts';
import { Refused } from './builds.ts';
import { countSql, keyColumns } from './recount.ts';
import type { Scope, Winner } from './scope.ts';

export interface Rewritten {
  rows: number;
  /** Rows that were other than the log says, or missing. */
  changed: number;
  /** Rows that no event explains. */
  removed: number;
  changes: StampedChange[];
}

type Row = Record<string, unknown>;

/** A row's key as text, the same for a row of the table and for a change. */
export function rowKey({ tables }: Installed, table: string, row: Row): string {
  return tables
    .get(table)!
    .key.map((column) => String(row[column]))
    .join(' ');
}

/** `table key` of every row that is there and in the scope. */
export async function keysInScope(
  db: Queryable,
  installed: Installed,
  scope: Scope,
  most: number,
): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const table of installed.tables.values()) {
    for (const row of await rowsInScope(db, installed, table, scope, most + 1)) {
      keys.add(`${table.name} ${rowKey(installed, table.name, row)}`);
    }
  }
  if (keys.size > most)
    throw new Refused(
      `That is more than ${most} rows; build all of it again with emulsion rebuild ${installed.model.name}.`,
    );
  return keys;
}

/** The ids of these rows: of the key, and those that counts are kept by. */
async function rowsInScope(
  db: Queryable,
  { schema }: Installed,
  table: RegisterTable,
  scope: Scope,
  limit: number,
): Promise<Row[]> {
  const ids = idColumns(table).map(({ name, type }) => `${name}${type === 'uuid' ? '' : '::text'}`);
  const [where, value] =
    'since' in scope ? ['event_time >= $1', new Date(scope.since).toISOString()] : [named(table), scope.id];
  if (where === '') return [];
  const { rows } = await db.query(
    `SELECT ${ids.join(', ')} FROM ${schema}.${table.name} WHERE ${where} LIMIT $2`,
    [value, limit],
  );
  return rows;
}

function idColumns(table: RegisterTable): RegisterTable['columns'] {
  return table.columns.filter(
    ({ name, type }) => table.key.includes(name) || (type === 'uuid' && name !== 'event_id'),
  );
}

/** Which rows of a table name an id. */
function named(table: RegisterTable): string {
  return table.columns
    .filter(({ name, type }) => type === 'uuid' && name !== 'event_id')
    .map(({ name }) => `${name} = $1::uuid`)
    .join(' OR ');
}

/**
 * Brings the rows of the scope to what their newest events say, and counts anew whatever they are counted in. Data
 * keys are taken FOR SHARE, so that an erasure can't be overtaken (DESIGN §2 rule 2).
 */
export async function rewriteScope(
  client: Client,
  engine: Engine,
  installed: Installed,
  scope: Scope,
  winners: readonly Winner[],
): Promise<Rewritten> {
  const changes = await reveal(client, engine, installed, winners);
  const before = new Map<string, Row[]>();
  for (const table of installed.tables.values())
    before.set(table.name, await rowsInScope(client, installed, table, scope, winners.length + 1_000_000));
  let changed = 0;
  let removed = 0;
  for (const table of installed.tables.values()) {
    const own = changes.filter((change) => change.table === table.name);
    const wanted = new Set(own.map((change) => rowKey(installed, table.name, change.row)));
    const extra = before.get(table.name)!.filter((row) => !wanted.has(rowKey(installed, table.name, row)));
    removed += await deleteRows(client, installed, table, extra);
    changed += await putRows(client, table, own);
  }
  for (const derivation of installed.model.derivations ?? []) {
    const { schema } = installed;
    await client.query(derivation.settle(schema, derivation.touched(schema)), derivation.params(changes));
  }
  await recount(client, installed, scope, [...before], changes);
  return {
    rows: changes.length,
    changed,
    removed,
    changes: [...changes, ...gone(before, changes, installed)],
  };
}

/** Removed rows concern whoever made something of them, such as a feed. */
function gone(
  before: ReadonlyMap<string, Row[]>,
  changes: readonly StampedChange[],
  installed: Installed,
): StampedChange[] {
  const wanted = new Set(changes.map(({ table, row }) => `${table} ${rowKey(installed, table, row)}`));
  return [...before].flatMap(([table, rows]) =>
    rows
      .filter((row) => !wanted.has(`${table} ${rowKey(installed, table, row)}`))
      .map((row) => ({ table, row, live: false, eventTime: 0, eventId: '' })),
  );
}

async function reveal(
  client: Client,
  { codec, master }: Engine,
  installed: Installed,
  winners: readonly Winner[],
): Promise<StampedChange[]> {
  const owners = new Set(winners.map(({ sealed }) => sealed.owner).filter((owner) => owner !== null));
  const keys = await loadDataKeys(client, master, [...owners], { share: true });
  return winners.map(({ table, key, sealed }) => {
    const event = codec.reveal({ ...sealed, fields: { ...sealed.fields } }, (owner) => keys.get(owner));
    const change = changesOf(installed.model, event).find(
      (c) => c.table === table && rowKey(installed, table, c.row) === key,
    )!;
    return { ...change, eventTime: event.meta.time, eventId: event.meta.id };
  });
}

async function deleteRows(
  client: Client,
  { schema }: Installed,
  table: RegisterTable,
  rows: Row[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const { sql, params } = keyList(table, table.key, rows);
  const { rowCount } = await client.query(
    `DELETE FROM ${schema}.${table.name} WHERE (${table.key.join(', ')}) IN (${sql})`,
    params,
  );
  return rowCount ?? 0;
}

/** Unlike a round, the log's newest event wins here over whatever the row says of itself. */
async function putRows(
  client: Client,
  table: RegisterTable,
  changes: readonly StampedChange[],
): Promise<number> {
  if (changes.length === 0) return 0;
  const { rowCount } = await client.query(table.forcedSql, registerParams(table, changes));
  return rowCount ?? 0;
}

function keyList(
  table: RegisterTable,
  columns: readonly string[],
  rows: readonly Row[],
): { sql: string; params: unknown[] } {
  const types = new Map(table.columns.map(({ name, type }) => [name, type]));
  const arrays = columns.map((column, index) => `$${index + 1}::${types.get(column)}[]`);
  return {
    sql: `SELECT * FROM unnest(${arrays.join(', ')})`,
    params: columns.map((column) => rows.map((row) => row[column])),
  };
}

/** Counts of every key that a row of the scope has, had, or is named by. */
async function recount(
  client: Client,
  installed: Installed,
  scope: Scope,
  before: readonly [string, Row[]][],
  changes: readonly StampedChange[],
): Promise<void> {
  const { schema, model, tables } = installed;
  for (const [into, group] of Map.groupBy(model.counters, (counter) => counter.into)) {
    const key = keyColumns(group);
    const rows = [...countedRows(group, before, changes), ...scopeRow(key, scope)];
    const { sql, params } = keyList(keyTable(group, tables), key, rows);
    const list = `(${key.join(', ')}) IN (${sql})`;
    await client.query(`DELETE FROM ${schema}.${into} WHERE ${list}`, params);
    const columns = [...key, ...group.map((counter) => counter.column)];
    await client.query(
      `INSERT INTO ${schema}.${into} (${columns.join(', ')}) ${countSql(schema, group, list)}`,
      params,
    );
  }
}

function countedRows(
  group: readonly Counter[],
  before: readonly [string, Row[]][],
  changes: readonly StampedChange[],
): Row[] {
  return group.flatMap(({ from, key }) => {
    const rows = [
      ...before.filter(([table]) => table === from).flatMap(([, own]) => own),
      ...changes.filter(({ table }) => table === from).map(({ row }) => row),
    ];
    return rows.map((row) => Object.fromEntries(Object.entries(key).map(([into, own]) => [into, row[own]])));
  });
}

/** A count of the id itself may be there without any row. */
function scopeRow(key: readonly string[], scope: Scope): Row[] {
  return 'id' in scope && key.length === 1 ? [{ [key[0]!]: scope.id }] : [];
}

/** The columns of a table of counts, typed as those that they are taken from. */
function keyTable(group: readonly Counter[], tables: Installed['tables']): RegisterTable {
  const { from, key } = group[0]!;
  const own = tables.get(from)!;
  const types = new Map(own.columns.map(({ name, type }) => [name, type]));
  return {
    ...own,
    columns: Object.entries(key).map(([into, column]) => ({
      name: into,
      type: types.get(column)!,
      nullable: false,
    })),
  };
}
