import type { Pool } from '../../../platform/postgres/pool.ts';
import { migrationFiles } from '../../stack/prepare.ts';
import { type Found, messageOf, ok, warn, wrong } from './finding.ts';
import type { Patient } from './patient.ts';

const oldestVersion = 18;
/** Seconds. */
const longTransaction = 60;
const crowded = { warn: 0.8, wrong: 0.95 };

/** Whether Postgres keeps what it said it kept, has the tables of this release, and has room for everybody. */
export async function checkPostgres({ pool }: Patient): Promise<Found[]> {
  try {
    await pool.query('SELECT');
  } catch (error) {
    return [
      wrong(
        `does not answer: ${messageOf(error)}`,
        'Start it (npx emulsion up, emulsion status says where it logs), or correct DATABASE_URL.',
      ),
    ];
  }
  const found = await Promise.all([
    checkVersion(pool),
    checkMigrations(pool),
    checkDurability(pool),
    checkSecondCopy(pool),
    checkTransactions(pool),
    checkConnections(pool),
  ]);
  return found.flat();
}

async function checkVersion(pool: Pool): Promise<Found> {
  const { rows } = await pool.query('SHOW server_version');
  const version = rows[0].server_version as string;
  if (Number.parseInt(version, 10) >= oldestVersion) return ok(`PostgreSQL ${version}`);
  return wrong(`PostgreSQL ${version}`, `Statements need ${oldestVersion} or newer: upgrade it.`);
}

async function checkMigrations(pool: Pool): Promise<Found> {
  const { rows } = await pool.query(`SELECT to_regclass('public.migration') IS NOT NULL AS migrated`);
  const files = migrationFiles();
  const applied: string[] = rows[0].migrated
    ? (await pool.query('SELECT name FROM public.migration')).rows.map((row) => row.name)
    : [];
  const missing = files.filter((file) => !applied.includes(file));
  const unknown = applied.filter((name) => !files.includes(name));
  if (missing.length > 0)
    return wrong(`migrations not applied: ${missing.join(', ')}`, 'Apply them: npx emulsion up.');
  if (unknown.length > 0)
    return warn(
      `migrations that this release does not have: ${unknown.join(', ')}`,
      'A newer release was here; run this command of that release.',
    );
  return ok(`${files.length} migrations, all applied`);
}

/** What an answered write rests on: without these a power cut can take back what was promised. */
async function checkDurability(pool: Pool): Promise<Found> {
  const { rows } = await pool.query(
    `SELECT name, setting FROM pg_settings
     WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name`,
  );
  if (rows.length === 0) return ok('fsync, full_page_writes and synchronous_commit are on');
  const names = rows.map((row) => row.name).join(', ');
  return wrong(`off: ${names}`, `Set them on and reload: a power cut would take back what was answered.`);
}

/** The vault can't be made again from the log: without its data keys the log can't be read (DESIGN §9). */
async function checkSecondCopy(pool: Pool): Promise<Found> {
  const { rows } = await pool.query(
    `SELECT current_setting('archive_mode') <> 'off' AND
        (current_setting('archive_command') NOT IN ('', '(disabled)') OR current_setting('archive_library') <> '') AS archives,
      (SELECT coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL) FROM pg_stat_archiver) AS failing,
      (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')) AS standbys`,
  );
  const { archives, failing, standbys } = rows[0];
  if (archives && failing)
    return wrong(
      'the last write-ahead log could not be archived',
      'See pg_stat_archiver and the archive command.',
    );
  if (archives) return ok('write-ahead logs are archived');
  if (standbys > 0) return ok(`${standbys} synchronous standby`);
  return warn(
    'one copy of the data keys: neither archiving of write-ahead logs nor a synchronous standby',
    'Set up either: without data keys nobody can read the personal fields of the log again.',
  );
}

async function checkTransactions(pool: Pool): Promise<Found> {
  const { rows } = await pool.query(
    `SELECT pid, coalesce(nullif(application_name, ''), usename) AS who, state,
       extract(epoch FROM now() - xact_start)::int AS seconds
     FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend' AND xact_start < now() - make_interval(secs => $1)
     ORDER BY xact_start LIMIT 5`,
    [longTransaction],
  );
  if (rows.length === 0) return ok(`no transaction is older than ${longTransaction} s`);
  const who = rows.map((row) => `${row.who} (pid ${row.pid}, ${row.state}, ${row.seconds} s)`).join(', ');
  return warn(
    `long transactions: ${who}`,
    'Rounds may wait for their locks, and nothing is vacuumed behind them: SELECT pg_terminate_backend(pid) ends one.',
  );
}

async function checkConnections(pool: Pool): Promise<Found> {
  const { rows } = await pool.query(
    `SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
       current_setting('max_connections')::int AS most`,
  );
  const { used, most } = rows[0];
  const text = `${used} of ${most} connections in use`;
  const remedy = 'Raise max_connections, or find who holds them in pg_stat_activity.';
  if (used > most * crowded.wrong) return wrong(text, remedy);
  return used > most * crowded.warn ? warn(text, remedy) : ok(text);
}
