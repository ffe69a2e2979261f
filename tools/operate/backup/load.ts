import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from } from 'pg-copy-streams';
import { failure } from '../../../deploy/native/failure.ts';
import type { Client, Queryable } from '../../../platform/postgres/pool.ts';
import { createTables } from '../../../projectors/engine/versions.ts';
import { streamFacts } from '../../../projectors/notify/stream.model.ts';
import { type Header, readBackup, type Table, type Trailer } from './file.ts';
import { columnList, engineFilters, type Reactor, tablesOf } from './holdings.ts';

/** Whose facts a backup holds; the code that makes their tables. */
const reactorModels = [streamFacts];
/** Those who make a model's tables own them. */
const tableOwner = 'emulsion_projector';

/**
 * `empty`: into a vault without a row. `replace`: whatever is there goes first. `missing`: rows of the vault that are
 * not there come back, and nothing is overwritten.
 */
export type RestoreMode = 'empty' | 'replace' | 'missing';

/** Above any generation that was given out since the backup, so that nobody who was frozen then can write again. */
const generationsAhead = 1_000_000;

/** Puts the rows of a backup into their tables, in the caller's transaction. Gives how many went into each. */
export async function putBack(
  client: Client,
  file: string,
  header: Header,
  mode: RestoreMode,
): Promise<Trailer['rows']> {
  if (mode === 'missing') return putBackMissing(client, file);
  await makeRoom(client, header);
  const rows: Trailer['rows'] = {};
  const tables: Table[] = [];
  await readBackup(file, async (table, lines) => {
    tables.push(table);
    // The audit only grows: what was asked since the backup stays in it.
    const copy = table.table === 'engine.command' ? copyMissing : copyRows;
    rows[table.table] = await copy(client, table, lines);
  });
  for (const { table } of tables) await raiseSequences(client, table);
  await client.query(
    `UPDATE engine.position SET generation = generation + ${generationsAhead} WHERE ${engineFilters(header.reactors, header.consumers).position}`,
  );
  return rows;
}

async function putBackMissing(client: Client, file: string): Promise<Trailer['rows']> {
  const rows: Trailer['rows'] = {};
  await readBackup(file, async (table, lines) => {
    if (table.table.startsWith('vault.')) rows[table.table] = await copyMissing(client, table, lines);
    else for await (const _ of lines);
  });
  return rows;
}

/** Empties what the backup fills; makes the tables of reactors that are not there. */
async function makeRoom(client: Client, { reactors, consumers }: Header): Promise<void> {
  const whole: string[] = [];
  for (const schema of ['vault', 'stream']) whole.push(...(await tablesOf(client, schema)));
  for (const reactor of reactors) whole.push(...(await reactorTables(client, reactor)));
  await client.query(`TRUNCATE ${whole.join(', ')}`);
  await client.query('DELETE FROM engine.setting');
  for (const [table, where] of Object.entries(engineFilters(reactors, consumers)))
    await client.query(`DELETE FROM engine.${table} WHERE ${where}`);
}

async function reactorTables(client: Client, reactor: Reactor): Promise<string[]> {
  const model = reactorModels.find(({ name }) => name === reactor.model);
  if (model?.version !== reactor.definition)
    throw failure(
      `The backup holds definition ${reactor.definition} of the reactor ${reactor.model}, which this release does not have.`,
      'Restore it with the release that made it.',
    );
  const { rows } = await client.query('SELECT to_regnamespace($1) IS NOT NULL AS made', [reactor.schema]);
  if (!rows[0].made) {
    await client.query(`SET LOCAL ROLE ${tableOwner}`);
    await createTables(client, model, reactor.schema, 'projected');
    await client.query('RESET ROLE');
  }
  return tablesOf(client, reactor.schema);
}

async function copyRows(
  client: Client,
  { table, columns }: Table,
  lines: AsyncIterable<Buffer>,
): Promise<number> {
  const copy = client.query(from(`COPY ${table} (${columnList(columns)}) FROM STDIN`));
  await pipeline(Readable.from(lines, { objectMode: false }), copy);
  return copy.rowCount;
}

/**
 * Those whose key is not there; a key that is there stays as it is. Numbers that Postgres gives out are given anew, in
 * the order of the old ones: an old one may be another row's by now. What waits in the outbox so comes behind what waits
 * there already, which no model minds.
 */
async function copyMissing(
  client: Client,
  { table, columns }: Table,
  lines: AsyncIterable<Buffer>,
): Promise<number> {
  await client.query(
    `CREATE TEMPORARY TABLE coming ON COMMIT DROP AS SELECT ${columnList(columns)} FROM ${table} WHERE false`,
  );
  await copyRows(client, { table: 'coming', columns }, lines);
  await raiseSequences(client, table);
  const numbers = (await numbersOf(client, table)).map(({ column }) => column);
  const own = columnList(columns.filter((column) => !numbers.includes(column)));
  const order = numbers.length > 0 ? `ORDER BY ${columnList(numbers)}` : '';
  const { rowCount } = await client.query(
    `INSERT INTO ${table} (${own}) SELECT ${own} FROM coming ${order} ON CONFLICT DO NOTHING`,
  );
  await client.query('DROP TABLE coming');
  return rowCount ?? 0;
}

/** Numbers that Postgres gives out go on above those that are there. */
async function raiseSequences(db: Queryable, table: string): Promise<void> {
  for (const { column, sequence } of await numbersOf(db, table))
    await db.query(
      `SELECT setval($1, greatest((SELECT max(${column}) FROM ${table}), (SELECT last_value FROM ${sequence})))`,
      [sequence],
    );
}

async function numbersOf(db: Queryable, table: string): Promise<{ column: string; sequence: string }[]> {
  const { rows } = await db.query(
    `SELECT attname AS column, pg_get_serial_sequence($1, attname) AS sequence FROM pg_attribute
     WHERE attrelid = $1::regclass AND attidentity <> ''`,
    [table],
  );
  return rows;
}
