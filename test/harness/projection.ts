import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createPool, type Pool, transaction } from '../../platform/postgres/pool.ts';
import { type Installed, writeRegisters } from '../../projectors/engine/apply.ts';
import type { Model } from '../../projectors/engine/model.ts';
import { openBuild } from '../../projectors/engine/runner.ts';
import { createVersion } from '../../projectors/engine/versions.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { migrate } from '../../tools/cli/operate/prepare.ts';

/** Given events, when projected, then rows: a database of its own on the real Postgres, no log in between. */
export interface ProjectionKit {
  pool: Pool;
  /** Fresh tables of the model. */
  install(model: Model): Promise<Installed>;
  /** Applies rounds of events, each as one transaction. */
  apply(installed: Installed, rounds: readonly (readonly Event[])[]): Promise<void>;
  /** Every row of every table of the model, in key order, each as one line of JSON. */
  rows(installed: Installed): Promise<Record<string, unknown[]>>;
  close(): Promise<void>;
}

export async function openProjectionKit(): Promise<ProjectionKit> {
  const name = `p${randomBytes(5).toString('hex')}`;
  const admin = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(process.env.DATABASE_URL!);
  url.pathname = `/${name}`;
  const pool = createPool(url.href, { name: 'projection-kit', max: 6 });
  await migrate(pool);
  return {
    pool,
    async install(model) {
      const version = await transaction(pool, (client) => createVersion(client, model, 'projected'));
      return openBuild(pool, model, version);
    },
    async apply(installed, rounds) {
      for (const round of rounds)
        await transaction(pool, (client) => writeRegisters(client, installed, round));
    },
    rows: (installed) => rowsOf(pool, installed.schema),
    async close() {
      await pool.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

async function rowsOf(pool: Pool, schema: string): Promise<Record<string, unknown[]>> {
  const tables = await pool.query(`SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1`, [
    schema,
  ]);
  const found: Record<string, unknown[]> = {};
  for (const { tablename } of tables.rows) {
    const { rows } = await pool.query(
      `SELECT to_jsonb(t) AS row FROM ${schema}.${tablename} t ORDER BY to_jsonb(t)::text`,
    );
    found[tablename] = rows.map((row) => row.row);
  }
  return found;
}
