import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { to } from 'pg-copy-streams';
import { failure } from '../../../deploy/native/failure.ts';
import { fetchHeads } from '../../../platform/log/topics.ts';
import { type Client, createPool, type Pool } from '../../../platform/postgres/pool.ts';
import { readConfig } from '../../../platform/process/config.ts';
import { topics } from '../../../schemas/topics.ts';
import { operatorKafka } from '../broker.ts';
import { type Header, type Table, type Trailer, writeBackup } from './file.ts';
import { columnList, type Holding, readConsumers, readHoldings, readReactors } from './holdings.ts';
import { copyRegistry } from './registry.ts';

export interface BackupReport {
  file: string;
  madeAt: string;
  bytes: number;
  rows: Trailer['rows'];
  /** Schemas of the registry. */
  schemas: number;
  /** Whether the registry's own export is in it. */
  registryExported: boolean;
}

/**
 * Writes to a new file everything that the log does not hold and that is not made again from it: the vault, what
 * reactors have told and where they and the media pipeline are, settings, the audit, and the schemas of the registry
 * under their numbers. One snapshot; services may run. `env` is that of the stack.
 */
export async function backup(env: Record<string, string | undefined>, file: string): Promise<BackupReport> {
  if (existsSync(file)) throw failure(`${file} is there already.`, 'Name a new file: none is written over.');
  const config = readConfig(env);
  const pool = createPool(config.databaseUrl, { name: 'emulsion-backup', max: 1, statementTimeoutMs: 0 });
  try {
    return await withSnapshot(pool, async (client) => {
      const { header, holdings } = await describe(client, config);
      let registry: Trailer['registry'] | undefined;
      const rows = await writeBackup(file, header, tablesOf(client, holdings), async () => {
        // After the rows: a schema that a record of theirs names is there by now.
        const heads = await fetchHeads(operatorKafka(config), config.prefix, topics);
        registry = await copyRegistry(config.registryUrl, config.prefix);
        return {
          heads: Object.fromEntries([...heads].map(([topic, ends]) => [topic, ends.map(Number)])),
          registry,
        };
      });
      return {
        file,
        madeAt: header.madeAt,
        bytes: statSync(file).size,
        rows,
        schemas: registry!.schemas.length,
        registryExported: registry!.archive !== null,
      };
    });
  } finally {
    await pool.end();
  }
}

async function withSnapshot<T>(pool: Pool, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return await work(client);
  } finally {
    // Nothing was written; a COPY cut short leaves a connection that nobody can use again.
    client.release(true);
  }
}

async function describe(
  client: Client,
  { prefix, partitions }: { prefix: string; partitions: number },
): Promise<{ header: Omit<Header, 'format'>; holdings: Holding[] }> {
  const { rows } = await client
    .query('SELECT name FROM public.migration ORDER BY 1')
    .catch((error: Error) => {
      throw failure(
        `This database is none of ours yet: ${error.message}.`,
        'There is nothing to back up before the first npx emulsion up.',
        error,
      );
    });
  const reactors = await readReactors(client);
  const consumers = await readConsumers(client, reactors);
  const header = {
    madeAt: new Date().toISOString(),
    prefix,
    partitions,
    migrations: rows.map((row) => row.name),
    reactors,
    consumers,
  };
  return { header, holdings: await readHoldings(client, reactors, consumers) };
}

async function* tablesOf(
  client: Client,
  holdings: readonly Holding[],
): AsyncGenerator<Table & { rows: AsyncIterable<Buffer> }> {
  for (const { table, columns, where } of holdings) {
    const query = `SELECT ${columnList(columns)} FROM ${table}${where ? ` WHERE ${where}` : ''}`;
    const rows = client.query(to(`COPY (${query}) TO STDOUT`));
    yield { table, columns, rows };
    if (!rows.closed) await once(rows, 'close');
  }
}
