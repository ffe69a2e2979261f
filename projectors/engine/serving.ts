import type { Client } from '../../platform/postgres/pool.ts';
import { controlChannel, schemaOf } from '../../platform/postgres/serving.ts';

/**
 * Leads readers to a version, in the caller's transaction: the row that query-api reads, and the views in the schema
 * `served` that keep their names, for people.
 */
export async function serve(client: Client, model: string, version: number): Promise<void> {
  await client.query(
    `INSERT INTO engine.serving AS s (model, version) VALUES ($1, $2)
     ON CONFLICT (model) DO UPDATE SET version = excluded.version, previous = s.version, switched_at = now()`,
    [model, version],
  );
  const schema = schemaOf(model, version);
  const { rows } = await client.query(
    `SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY tablename`,
    [schema],
  );
  for (const { tablename } of rows) {
    await client.query(`DROP VIEW IF EXISTS served.${tablename}`);
    await client.query(`CREATE VIEW served.${tablename} AS SELECT * FROM ${schema}.${tablename}`);
    await client.query(`GRANT SELECT ON served.${tablename} TO emulsion_query, emulsion_command`);
  }
  await client.query('SELECT pg_notify($1, $2)', [controlChannel, `serving ${model}`]);
}
