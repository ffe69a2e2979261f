import { unseenAfterSeconds } from '../../../platform/postgres/members.ts';
import type { Queryable } from '../../../platform/postgres/pool.ts';

/** What connects as which role: see deploy/parts.ts. */
const servicesOf = {
  emulsion_command: 'command-api',
  emulsion_projector: 'projectors or reactors',
  emulsion_media: 'media-pipeline',
  emulsion_query: 'query-api or a stream node',
} as const;

export type ServiceRole = keyof typeof servicesOf;
const everyRole = Object.keys(servicesOf) as ServiceRole[];
/** Those that write to the log or move positions. */
export const writingRoles: readonly ServiceRole[] = [
  'emulsion_command',
  'emulsion_projector',
  'emulsion_media',
];

/**
 * Which of our services have this database open, or reported themselves within the last seconds: they may be cut off
 * for a moment only. Empty when none runs.
 */
export async function runningServices(
  db: Queryable,
  roles: readonly ServiceRole[] = everyRole,
): Promise<string[]> {
  const sessions = await db.query(
    'SELECT DISTINCT usename AS role FROM pg_stat_activity WHERE datname = current_database() AND usename = ANY($1)',
    [roles],
  );
  const open = sessions.rows.map((row) => servicesOf[row.role as ServiceRole]);
  return [...new Set([...open, ...(await reported(db))])];
}

async function reported(db: Queryable): Promise<string[]> {
  const { rows } = await db.query(`SELECT to_regclass('engine.member') IS NOT NULL AS migrated`);
  if (!rows[0].migrated) return [];
  const members = await db.query(
    `SELECT DISTINCT split_part(process, ' ', 1) AS process, max(seen_at) AS seen FROM engine.member
     WHERE seen_at > now() - make_interval(secs => $1) GROUP BY 1`,
    [unseenAfterSeconds],
  );
  return members.rows.map((row) => `${row.process}, seen ${row.seen.toISOString()}`);
}
