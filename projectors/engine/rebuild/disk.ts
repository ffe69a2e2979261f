import { statfs } from 'node:fs/promises';
import type { Queryable } from '../../../platform/postgres/pool.ts';
import type { Build } from './builds.ts';

/** A build needs its staged changes, its tables with their indexes, and room to sort: measured at about this many times. */
const timesServed = 3;
/** What an empty or new model may need. */
const leastBytes = 64 * 1_048_576;

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

export interface DiskNeed {
  enough: boolean;
  /** For an operator. */
  detail: string;
}

/**
 * Whether the disk of Postgres has room for a build, reckoned from the served version. `folder` is any folder on that
 * disk as this process sees it; null where Postgres runs elsewhere, and then nobody can tell.
 */
export async function diskNeed(db: Queryable, { model }: Build, folder: string | null): Promise<DiskNeed> {
  const { rows } = await db.query(
    `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS bytes
     FROM engine.serving s JOIN engine.version v USING (model, version)
     JOIN pg_namespace n ON n.nspname = v.schema_name
     JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r' WHERE s.model = $1`,
    [model],
  );
  const needed = Math.max(leastBytes, rows[0].bytes * timesServed);
  if (folder === null)
    return {
      enough: true,
      detail: `needs about ${gigabytes(needed)} of disk; EMULSION_POSTGRES_DATA is not set, so what is free is not known`,
    };
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  return {
    enough: free > needed,
    detail: `needs about ${gigabytes(needed)} of disk, ${gigabytes(free)} are free`,
  };
}
