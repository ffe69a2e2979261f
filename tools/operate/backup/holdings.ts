import pg from 'pg';
import type { Queryable } from '../../../platform/postgres/pool.ts';
import { consumerOf } from '../../../platform/postgres/serving.ts';

/** A model with effects outside: its facts and positions are kept, for effects never replay (DESIGN §2 rule 5). */
export interface Reactor {
  model: string;
  version: number;
  /** Of the code that made its tables. */
  definition: number;
  schema: string;
}

/** Rows of one table that the log does not hold. */
export interface Holding {
  /** With its schema. */
  table: string;
  columns: string[];
  /** Which rows, in SQL; null: all. */
  where: string | null;
}

/** What is kept of the tables of `engine`. The others follow from the log and from what runs. */
const engineTables = ['setting', 'command', 'version', 'position', 'parked', 'suspect', 'pause'] as const;
export const madeAgain = ['serving', 'rebuild', 'rebuild_partition', 'member'] as const;

/** Nobody is led to a reactor's tables, and nobody builds them. */
export async function readReactors(db: Queryable): Promise<Reactor[]> {
  const { rows } = await db.query(
    `SELECT model, version, definition, schema_name AS schema FROM engine.version v
     WHERE NOT EXISTS (SELECT FROM engine.serving s WHERE s.model = v.model)
       AND NOT EXISTS (SELECT FROM engine.rebuild r WHERE r.model = v.model) ORDER BY 1, 2`,
  );
  return rows;
}

/** Whose positions are kept: the reactors', and those of consumers that have no tables, such as the media pipeline. */
export async function readConsumers(db: Queryable, reactors: readonly Reactor[]): Promise<string[]> {
  const { rows } = await db.query(
    String.raw`SELECT DISTINCT consumer FROM engine.position WHERE consumer !~ '\.v\d+$' ORDER BY 1`,
  );
  return [
    ...reactors.map(({ model, version }) => consumerOf(model, version)),
    ...rows.map((row) => row.consumer),
  ];
}

/** Every row that a backup holds, in an order in which they can be put back. */
export async function readHoldings(
  db: Queryable,
  reactors: readonly Reactor[],
  consumers: readonly string[],
): Promise<Holding[]> {
  const schemas = ['vault', 'stream', ...reactors.map(({ schema }) => schema)];
  const tables: string[] = [];
  for (const schema of schemas) tables.push(...(await tablesOf(db, schema)));
  const filters = engineFilters(reactors, consumers);
  const whole = tables.map((table) => ({ table, where: null }));
  const engine = engineTables.map((name) => ({ table: `engine.${name}`, where: filters[name] ?? null }));
  const holdings: Holding[] = [];
  for (const one of [...whole, ...engine]) holdings.push({ ...one, columns: await columnsOf(db, one.table) });
  return holdings;
}

/** `"seq", "offset"` */
export function columnList(columns: readonly string[]): string {
  return columns.map((column) => pg.escapeIdentifier(column)).join(', ');
}

/** Which rows of each table of `engine` are kept. */
export function engineFilters(
  reactors: readonly Reactor[],
  consumers: readonly string[],
): Partial<Record<(typeof engineTables)[number], string>> {
  const among = (column: string, names: readonly string[]): string =>
    `${column} = ANY (ARRAY[${names.map((name) => pg.escapeLiteral(name)).join(', ')}]::text[])`;
  const models = [...reactors.map(({ model }) => model), ...consumers];
  return {
    version: among(
      'model',
      reactors.map(({ model }) => model),
    ),
    position: among('consumer', consumers),
    parked: among('consumer', consumers),
    suspect: among('consumer', consumers),
    pause: among('model', models),
  };
}

/** Tables of a schema, each after those that its foreign keys name. */
export async function tablesOf(db: Queryable, schema: string): Promise<string[]> {
  const { rows } = await db.query(
    `SELECT c.relname AS name, array_remove(array_agg(DISTINCT p.relname::text), NULL) AS parents
     FROM pg_class c
     LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid
     LEFT JOIN pg_class p ON p.oid = k.confrelid
     WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' GROUP BY 1 ORDER BY 1`,
    [schema],
  );
  const waiting = new Map<string, string[]>(rows.map((row) => [row.name, row.parents]));
  const sorted: string[] = [];
  while (waiting.size > 0) {
    const next = [...waiting].find(([, parents]) => parents.every((parent) => !waiting.has(parent)));
    if (!next) throw new Error(`the tables of ${schema} name each other in a circle`);
    waiting.delete(next[0]);
    sorted.push(`${schema}.${next[0]}`);
  }
  return sorted;
}

async function columnsOf(db: Queryable, table: string): Promise<string[]> {
  const { rows } = await db.query(
    `SELECT attname FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`,
    [table],
  );
  return rows.map((row) => row.attname);
}
