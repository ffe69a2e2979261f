import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Queryable } from '../postgres/pool.ts';
import { type MasterKey, masterVersionOf } from './master-key.ts';

const aadOf = (owner: string): string => `data-key ${owner}`;

/** Makes the owner's data key in the caller's transaction, or gives the one that is there. */
export async function createDataKey(client: Queryable, master: MasterKey, owner: string): Promise<Buffer> {
  const key = randomBytes(32);
  const wrapped = master.seal(key, aadOf(owner));
  const { rows } = await client.query(
    `INSERT INTO vault.data_key (owner, wrapped, master_version) VALUES ($1, $2, $3)
     ON CONFLICT (owner) DO UPDATE SET owner = excluded.owner RETURNING wrapped`,
    [owner, wrapped, masterVersionOf(wrapped)],
  );
  return master.open(rows[0].wrapped, aadOf(owner));
}

// Unwrapping costs a decryption; the wrapped bytes are the cache key, so an erased or rotated row is never served.
const unwrapped = new LRUCache<string, Buffer>({ max: 50_000 });

/**
 * The data keys of these owners; an erased owner is absent. `share` takes the rows FOR SHARE in the caller's
 * transaction, so that erasure can't be overtaken by the rows written from them (DESIGN §2 rule 2).
 */
export async function loadDataKeys(
  client: Queryable,
  master: MasterKey,
  owners: readonly string[],
  options: { share: boolean },
): Promise<Map<string, Buffer>> {
  if (owners.length === 0) return new Map();
  const lock = options.share ? 'ORDER BY owner FOR SHARE' : '';
  const { rows } = await client.query(
    `SELECT owner, wrapped FROM vault.data_key WHERE owner = ANY($1::text[]) ${lock}`,
    [owners],
  );
  return new Map(rows.map((row) => [row.owner as string, unwrap(master, row.owner, row.wrapped)]));
}

function unwrap(master: MasterKey, owner: string, wrapped: Buffer): Buffer {
  const id = wrapped.toString('base64');
  const known = unwrapped.get(id);
  if (known) return known;
  const key = master.open(wrapped, aadOf(owner));
  unwrapped.set(id, key);
  return key;
}

/**
 * Wraps the next data keys that an older master key has wrapped under the newest, in the caller's transaction and in the
 * order in which projectors lock them. Gives the last owner and how many there were; null when none is left behind `after`.
 */
export async function rewrapDataKeys(
  client: Queryable,
  master: MasterKey,
  after: string,
  limit: number,
): Promise<{ last: string; count: number } | null> {
  const version = master.version();
  const { rows } = await client.query(
    `SELECT owner, wrapped FROM vault.data_key WHERE owner > $1 AND master_version < $2
     ORDER BY owner LIMIT $3 FOR NO KEY UPDATE`,
    [after, version, limit],
  );
  if (rows.length === 0) return null;
  const owners = rows.map((row) => row.owner as string);
  const wrapped = rows.map((row) =>
    master.seal(master.open(row.wrapped, aadOf(row.owner)), aadOf(row.owner)),
  );
  await client.query(
    `UPDATE vault.data_key k SET wrapped = n.wrapped, master_version = $3
     FROM unnest($1::text[], $2::bytea[]) AS n (owner, wrapped) WHERE k.owner = n.owner`,
    [owners, wrapped, version],
  );
  return { last: owners.at(-1)!, count: owners.length };
}
