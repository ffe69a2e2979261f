import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Pool, transaction } from '../../platform/postgres/pool.ts';
import { schemaOf } from '../../platform/postgres/serving.ts';
import type { Model } from './model.ts';

const schemasRoot = path.resolve(import.meta.dirname, '../../schemas');

/** The statements of a model's table file. */
export function tableStatements(model: Model): string {
  return readFileSync(path.join(schemasRoot, model.sqlFile), 'utf8');
}

/**
 * Makes the tables of a version that has none yet, in a Postgres schema of its own, and lets readers at it when the
 * model serves nothing else. Several processes may do so at once.
 */
export async function installVersion(pool: Pool, model: Model): Promise<string> {
  const schema = schemaOf(model.name, model.version);
  await transaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`install ${schema}`]);
    const known = await client.query('SELECT FROM engine.version WHERE model = $1 AND version = $2', [
      model.name,
      model.version,
    ]);
    if (known.rowCount === 0) {
      await client.query(`CREATE SCHEMA ${schema}`);
      await client.query(`SET LOCAL search_path = ${schema}`);
      await client.query(tableStatements(model));
      await client.query('SET LOCAL search_path = DEFAULT');
      await client.query(`GRANT USAGE ON SCHEMA ${schema} TO emulsion_query, emulsion_command`);
      await client.query(
        `GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO emulsion_query, emulsion_command`,
      );
      await client.query(
        'INSERT INTO engine.version (model, version, schema_name, definition) VALUES ($1, $2, $3, $2)',
        [model.name, model.version, schema],
      );
    }
    if (model.unserved) return;
    await client.query(
      'INSERT INTO engine.serving (model, version) VALUES ($1, $2) ON CONFLICT (model) DO NOTHING',
      [model.name, model.version],
    );
  });
  return schema;
}
