import { createHash } from 'node:crypto';
import type { Client } from '../../platform/postgres/pool.ts';
import type { Bucket } from './fold.ts';
import { type ColumnKind, canonicalJson, type FactSpec, keyOf, type Row, type TableSpec } from './spec.ts';

const rowsAFetch = 5_000;
const mod64 = 2n ** 64n;

const canonicalSql: Record<ColumnKind, (column: string) => string> = {
  plain: (column) => `${column}::text`,
  time: (column) => `(extract(epoch FROM ${column}) * 1000)::bigint::text`,
  ids: (column) => `array_to_string(${column}, ',')`,
  json: (column) => `${column}::text`,
};

/** Says which tables and columns the schema has that the facts do not speak of, or the other way round. */
export async function shapeFindings(client: Client, spec: FactSpec, schema: string): Promise<string[]> {
  const { rows } = await client.query(
    `SELECT table_name AS name, array_agg(column_name::text ORDER BY column_name) AS columns
     FROM information_schema.columns WHERE table_schema = $1 GROUP BY 1`,
    [schema],
  );
  const there = new Map(rows.map((row) => [row.name as string, row.columns as string[]]));
  const unknown = [...there.keys()].filter(
    (name) => !spec.besides?.includes(name) && !spec.tables.some((table) => table.name === name),
  );
  return [
    ...unknown.map((name) => `${schema}.${name} is a table that verify knows nothing of.`),
    ...spec.tables.flatMap((table) => {
      const columns = there.get(table.name)?.join(', ') ?? 'no table';
      const known = Object.keys(table.columns).sort().join(', ');
      return columns === known ? [] : [`${schema}.${table.name} has ${columns}; verify knows ${known}.`];
    }),
  ];
}

/** Streams the rows of one pass through a cursor of the caller's snapshot. */
export async function* tableRows(
  client: Client,
  schema: string,
  table: TableSpec,
  bucket: Bucket,
): AsyncGenerator<Row> {
  const columns = Object.entries(table.columns).map(
    ([name, kind]) => `${canonicalSql[kind](name)} AS ${name}`,
  );
  const where = `('x' || right(${table.bucketBy}::text, 8))::bit(32)::bigint % ${bucket.of} = ${bucket.index}`;
  await client.query(
    `DECLARE verify_rows NO SCROLL CURSOR FOR SELECT ${columns.join(', ')} FROM ${schema}.${table.name} WHERE ${where}`,
  );
  const json = Object.keys(table.columns).filter((name) => table.columns[name] === 'json');
  for (;;) {
    const { rows } = await client.query(`FETCH ${rowsAFetch} FROM verify_rows`);
    if (rows.length === 0) break;
    for (const row of rows as Row[]) {
      for (const name of json) if (row[name] !== null) row[name] = canonicalJson(JSON.parse(row[name]!));
      yield row;
    }
  }
  await client.query('CLOSE verify_rows');
}

/** The row as one text; a column that was not said is null. */
export function canonicalRow(table: TableSpec, row: Row): string {
  return JSON.stringify(Object.keys(table.columns).map((column) => row[column] ?? null));
}

/** A sum of row hashes: equal for equal sets of rows, in whatever order they come. */
export interface Checksum {
  rows: number;
  sum: bigint;
}

export function addRow(checksum: Checksum, canonical: string): void {
  checksum.rows += 1;
  const hash = createHash('sha256').update(canonical).digest().readBigUInt64BE(0);
  checksum.sum = (checksum.sum + hash) % mod64;
}

export function rowKey(table: TableSpec, row: Row): string {
  return keyOf(table.key, row);
}
