import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Client, type Pool, type Queryable, transaction } from '../../platform/postgres/pool.ts';
import { schemaOf } from '../../platform/postgres/serving.ts';
import type { Model } from './model.ts';
import { serve } from './serving.ts';

const schemasRoot = path.resolve(import.meta.dirname, '../../schemas');
/** In a table file: what follows is built after the bulk path of a rebuild. */
const indexMark = '-- indexes:';

/** One build of a model's tables, as engine.version has it. */
export interface Version {
  model: string;
  version: number;
  /** The version of the code that makes its rows. */
  definition: number;
  state: 'filling' | 'projected' | 'dropping';
}

/** The statements of a model's table file: the tables, and the indexes that a bulk path builds last. */
export function tableStatements(model: Model): { tables: string; indexes: string } {
  const text = readFileSync(path.join(schemasRoot, model.sqlFile), 'utf8');
  const cut = text.indexOf(indexMark);
  return cut === -1
    ? { tables: text, indexes: '' }
    : { tables: text.slice(0, cut), indexes: text.slice(cut) };
}

export async function readVersions(db: Queryable): Promise<Version[]> {
  const { rows } = await db.query(
    'SELECT model, version, definition, state FROM engine.version ORDER BY 1, 2',
  );
  return rows;
}

/**
 * Makes the first tables of a model that has none yet, and leads readers there; for a model of which the log holds
 * nothing so far, for otherwise they would see it half filled. Several processes may do so at once. Gives the version
 * that this definition is projected into, or null when it has to be built first.
 */
export async function installFirst(pool: Pool, model: Model): Promise<number | null> {
  return transaction(pool, async (client) => {
    await lockVersions(client, model.name);
    const known = (await readVersions(client)).filter((version) => version.model === model.name);
    const own = known.find(({ definition, state }) => definition === model.version && state === 'projected');
    if (known.length > 0) return own?.version ?? null;
    const version = await createVersion(client, model, 'projected');
    if (!model.unserved) await serve(client, model.name, version);
    return version;
  });
}

/** Whoever makes or drops versions of a model waits here for whoever else does. */
export async function lockVersions(client: Client, model: string): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`versions of ${model}`]);
}

/** Makes the tables of one more version, in a Postgres schema of its own. Numbers are never used again. */
export async function createVersion(
  client: Client,
  model: Model,
  state: 'filling' | 'projected',
): Promise<number> {
  const { rows } = await client.query(
    `SELECT greatest((SELECT max(version) FROM engine.version WHERE model = $1),
                     (SELECT max(version) FROM engine.rebuild WHERE model = $1), 0) + 1 AS next`,
    [model.name],
  );
  const version = rows[0].next as number;
  const schema = schemaOf(model.name, version);
  await createTables(client, model, schema, state);
  await client.query(
    'INSERT INTO engine.version (model, version, schema_name, definition, state) VALUES ($1, $2, $3, $4, $5)',
    [model.name, version, schema, model.version, state],
  );
  return version;
}

/** Makes the schema of a version with the model's tables; their indexes too, unless the version is to be filled. */
export async function createTables(
  client: Client,
  model: Model,
  schema: string,
  state: 'filling' | 'projected',
): Promise<void> {
  await client.query(`CREATE SCHEMA ${schema}`);
  const { tables, indexes } = tableStatements(model);
  await inSchema(client, schema, state === 'projected' ? `${tables};${indexes}` : tables);
  await client.query(`GRANT USAGE ON SCHEMA ${schema} TO emulsion_query, emulsion_command`);
  await client.query(`GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO emulsion_query, emulsion_command`);
}

/** Runs the statements of a table file, which name no schema. */
export async function inSchema(client: Client, schema: string, statements: string): Promise<void> {
  await client.query(`SET LOCAL search_path = ${schema}`);
  await client.query(statements);
  await client.query('SET LOCAL search_path = DEFAULT');
}
