import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { registerSchemas } from '../../platform/log/codec.ts';
import { connectKafka } from '../../platform/log/kafka.ts';
import { checkTopics, createTopics } from '../../platform/log/topics.ts';
import { createPool, type Pool, transaction } from '../../platform/postgres/pool.ts';
import { readConfig } from '../../platform/process/config.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { eventCatalog } from '../../schemas/generated/events.ts';
import { topics } from '../../schemas/topics.ts';
import { mustBeCurrent } from '../operate/generation/state.ts';

const migrationsRoot = path.resolve(import.meta.dirname, '../../schemas/migrations');

/**
 * What must stand before a service starts: migrated tables, topics with their partitions, registered schemas. Can run
 * again, and by several at once. `env` is the environment of the services; DATABASE_URL is the owner's.
 */
export async function prepare(
  env: Record<string, string | undefined>,
  log: (line: string) => void,
): Promise<void> {
  const config = readConfig(env);
  const pool = createPool(config.databaseUrl, { name: 'prepare', max: 1 });
  const kafka = connectKafka({
    brokers: config.kafkaBrokers,
    clientId: 'prepare',
    log: createLogger('prepare', 'silent'),
  });
  const contract = { prefix: config.prefix, topics, partitions: config.partitions };
  try {
    const applied = await migrate(pool);
    await mustBeCurrent(pool, config);
    log(applied.length > 0 ? `migrated: ${applied.join(', ')}` : 'migrations: nothing to do');
    const made = await createTopics(kafka, contract, config.replication);
    await checkTopics(kafka, contract);
    log(made.length > 0 ? `topics made: ${made.join(', ')}` : 'topics: all there');
    await registerSchemas({ registryUrl: config.registryUrl, catalog: eventCatalog, prefix: config.prefix });
    log(`schemas registered: ${Object.keys(eventCatalog).length}`);
  } finally {
    await pool.end();
  }
}

/**
 * Applies the numbered migrations that this database has not had, each in a transaction of its own; all of this release
 * unless a restore names those that its backup had.
 */
export async function migrate(pool: Pool, names: readonly string[] = migrationFiles()): Promise<string[]> {
  await transaction(pool, async (client) => {
    await client.query("SELECT pg_advisory_xact_lock(hashtext('migrate'))");
    await client.query(`CREATE TABLE IF NOT EXISTS public.migration (
      name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`);
  });
  const applied: string[] = [];
  for (const name of names) {
    const fresh = await transaction(pool, async (client) => {
      await client.query("SELECT pg_advisory_xact_lock(hashtext('migrate'))");
      const { rowCount } = await client.query(
        'INSERT INTO public.migration (name) VALUES ($1) ON CONFLICT DO NOTHING',
        [name],
      );
      if (rowCount === 1) await client.query(readFileSync(path.join(migrationsRoot, name), 'utf8'));
      return rowCount === 1;
    });
    if (fresh) applied.push(name);
  }
  return applied;
}

/** Every migration of this release, `folder/file`, in the order in which they are applied. */
export function migrationFiles(): string[] {
  return ['engine', 'vault'].flatMap((folder) =>
    readdirSync(path.join(migrationsRoot, folder))
      .filter((file) => file.endsWith('.sql'))
      .sort()
      .map((file) => `${folder}/${file}`),
  );
}
