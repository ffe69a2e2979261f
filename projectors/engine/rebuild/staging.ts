import { type CopyRows, copyRows } from '../../../platform/postgres/binary.ts';
import { copyInto } from '../../../platform/postgres/copy.ts';
import type { Client, Queryable } from '../../../platform/postgres/pool.ts';
import type { Installed } from '../apply.ts';
import { changesOf, type SeenEvent } from '../model.ts';
import type { RegisterTable } from '../tables.ts';

/** Where the bulk path puts every change, to be settled once: as the register, without its key. */
const stagingOf = (schema: string, table: string): string => `${schema}.fill_${table}`;
/** An unlogged table is empty after a crash of Postgres; this one tells whether that has happened. */
const markOf = (schema: string): string => `${schema}.fill_mark`;

/**
 * Makes the staging tables. They are unlogged, which halves the cost of filling them, and have the constraints of the
 * registers, so that a record that violates one is found where it is read, and parked.
 */
export async function createStaging(client: Client, { schema, tables }: Installed): Promise<void> {
  await client.query(`CREATE UNLOGGED TABLE ${markOf(schema)} AS SELECT true AS whole`);
  for (const name of tables.keys())
    await client.query(
      `CREATE UNLOGGED TABLE ${stagingOf(schema, name)} (LIKE ${schema}.${name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`,
    );
}

/** False when a crash of Postgres has emptied the staging tables: then the build has to begin again. */
export async function isWhole(client: Queryable, schema: string): Promise<boolean> {
  return (await client.query(`SELECT FROM ${markOf(schema)}`)).rowCount === 1;
}

/** Empties the staging tables and marks them whole. */
export async function beginStaging(client: Client, { schema, tables }: Installed): Promise<void> {
  for (const name of tables.keys()) await client.query(`TRUNCATE ${stagingOf(schema, name)}`);
  await client.query(`TRUNCATE ${markOf(schema)}`);
  await client.query(`INSERT INTO ${markOf(schema)} VALUES (true)`);
}

export async function dropStaging(client: Client, { schema, tables }: Installed): Promise<void> {
  for (const name of tables.keys()) await client.query(`DROP TABLE ${stagingOf(schema, name)}`);
  await client.query(`DROP TABLE ${markOf(schema)}`);
}

/** Adds every change of these events to the staging tables. */
export async function stage(
  client: Client,
  installed: Installed,
  events: readonly SeenEvent[],
): Promise<void> {
  const { model, schema, tables } = installed;
  const staged = new Map([...tables].map(([name, table]) => [name, openStaged(table)]));
  for (const event of events) {
    const { time, id } = event.meta;
    for (const { table, row, live } of changesOf(model, event)) staged.get(table)!.add(row, live, time, id);
  }
  for (const [name, { rows }] of staged) {
    if (rows.count() === 0) continue;
    await copyInto(client, stagingOf(schema, name), copyColumns(tables.get(name)!), rows.end());
  }
}

const stampColumns = ['live', 'event_time', 'event_id'];
const stampTypes = ['boolean', 'timestamp with time zone', 'uuid'];

function ownColumns(table: RegisterTable): RegisterTable['columns'] {
  return table.columns.filter(({ name }) => !stampColumns.includes(name));
}

function copyColumns(table: RegisterTable): string[] {
  return [...ownColumns(table).map(({ name }) => name), ...stampColumns];
}

interface Staged {
  rows: CopyRows;
  add(row: Record<string, unknown>, live: boolean, time: number, id: string): void;
}

function openStaged(table: RegisterTable): Staged {
  const own = ownColumns(table);
  const rows = copyRows([...own.map(({ type }) => type), ...stampTypes]);
  const names = own.map(({ name }) => name);
  const cells: unknown[] = [];
  return {
    rows,
    add(row, live, time, id) {
      let at = 0;
      for (const name of names) cells[at++] = row[name];
      cells[at++] = live;
      cells[at++] = time;
      cells[at] = id;
      rows.add(cells);
    },
  };
}

/**
 * Settles what was staged: per row the newest change, as the live path would have left it. Keys are put on last,
 * because a sorted build costs a fraction of row by row.
 */
export async function settleStaged(client: Client, { schema, tables }: Installed): Promise<void> {
  for (const [name, table] of tables) {
    const columns = copyColumns(table).join(', ');
    const key = table.key.join(', ');
    await client.query(
      `ALTER TABLE ${schema}.${name} DROP CONSTRAINT ${await keyName(client, schema, name)}`,
    );
    await client.query(
      `INSERT INTO ${schema}.${name} (${columns})
       SELECT DISTINCT ON (${key}) ${columns} FROM ${stagingOf(schema, name)}
       ORDER BY ${key}, event_time DESC, event_id DESC`,
    );
    await client.query(`ALTER TABLE ${schema}.${name} ADD PRIMARY KEY (${key})`);
  }
}

async function keyName(client: Client, schema: string, table: string): Promise<string> {
  const { rows } = await client.query(
    `SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = $1::regclass`,
    [`${schema}.${table}`],
  );
  return rows[0].conname;
}
