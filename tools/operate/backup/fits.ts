import { failure } from '../../../deploy/native/failure.ts';
import type { Kafka } from '../../../platform/log/kafka.ts';
import { createTopics, fetchHeads } from '../../../platform/log/topics.ts';
import type { Client, Pool } from '../../../platform/postgres/pool.ts';
import type { Config } from '../../../platform/process/config.ts';
import { openMasterKey } from '../../../platform/vault/master-key.ts';
import { topics } from '../../../schemas/topics.ts';
import { migrate, migrationFiles } from '../../stack/prepare.ts';
import type { Header, Trailer } from './file.ts';
import { tablesOf } from './holdings.ts';
import { runningServices } from './running.ts';

export function mustFit({ prefix, partitions }: Config, header: Header): void {
  if (header.prefix === prefix && header.partitions === partitions) return;
  throw failure(
    `The backup goes with the log "${header.prefix}" of ${header.partitions} partitions, this environment names "${prefix}" of ${partitions}.`,
    `Set EMULSION_PREFIX=${header.prefix} and EMULSION_PARTITIONS=${header.partitions}, or take a backup made since the generation was changed.`,
  );
}

export async function mustBeQuiet(pool: Pool): Promise<void> {
  const running = await runningServices(pool);
  if (running.length === 0) return;
  throw failure(
    `Services use this database: ${running.join('; ')}.`,
    'Stop them (npx emulsion down), start the servers alone (npx emulsion up --parts-only), and restore again.',
  );
}

/** The log is at least as long as it was: otherwise positions and claims would speak of what never happened. */
export async function mustBeItsLog(
  kafka: Kafka,
  config: Config,
  header: Header,
  { heads }: Trailer,
): Promise<void> {
  // A release with more topics than the backup's; the others are there or are not ours.
  const fresh = topics.filter((topic) => !(topic in heads));
  await createTopics(kafka, { ...config, topics: fresh }, config.replication);
  const now = await fetchHeads(kafka, config.prefix, Object.keys(heads)).catch((error: Error) => {
    throw failure(`The log can not be read: ${error.message}.`, 'Bring back the log first.', error);
  });
  for (const [topic, ends] of Object.entries(heads)) {
    const short = ends.findIndex((end, partition) => Number(now.get(topic)![partition] ?? -1) < end);
    if (short === -1) continue;
    throw failure(
      `The log is not the one of ${header.madeAt}: ${topic}/${short} ends at ${now.get(topic)![short] ?? 'nothing'}, and had ${ends[short]} then.`,
      'Bring back the log first; a backup of a time before its end can be restored then.',
    );
  }
}

/** A new database is brought to where the backup's was; whoever starts next brings it on. */
export async function bringMigrations(pool: Pool, header: Header): Promise<void> {
  const unknown = header.migrations.filter((name) => !migrationFiles().includes(name));
  if (unknown.length > 0)
    throw failure(
      `The backup was made by a newer release: this one has no ${unknown.join(', ')}.`,
      'Restore it with that release.',
    );
  await migrate(pool, header.migrations);
  const { rows } = await pool.query('SELECT name FROM public.migration');
  const newer = rows.map((row) => row.name).filter((name) => !header.migrations.includes(name));
  if (newer.length > 0)
    throw failure(
      `The database has migrations that the backup had not: ${newer.join(', ')}.`,
      'Restore into a new database: it is brought to where the backup was, and then on.',
    );
}

export async function mustBeEmpty(client: Client): Promise<void> {
  for (const table of await tablesOf(client, 'vault')) {
    const { rows } = await client.query(`SELECT count(*) AS rows FROM ${table}`);
    if (rows[0].rows === 0) continue;
    throw failure(
      `The vault is not empty: ${table} has ${rows[0].rows} rows.`,
      '--missing puts back what is not there and overwrites nothing; --replace throws away what is there, the accounts made since the backup too.',
    );
  }
}

/** With another master key nothing personal could ever be read. */
export async function mustOpen(client: Client, masterKeyFile: string): Promise<void> {
  const { rows } = await client.query('SELECT owner, wrapped FROM vault.data_key LIMIT 1');
  if (!rows[0]) return;
  try {
    openMasterKey(masterKeyFile).open(rows[0].wrapped, `data-key ${rows[0].owner}`);
  } catch (error) {
    throw failure(
      `The master key in ${masterKeyFile} does not open the data keys of this backup.`,
      'Put back the secrets folder of the stack that made it; nothing was changed.',
      error as Error,
    );
  }
}
