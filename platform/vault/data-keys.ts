import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Queryable } from '../postgres/pool.ts';
import type { MasterKey } from './master-key.ts';

const aadOf = (owner: string): string => `data-key ${owner}`;

/** Makes the owner's data key in the caller's transaction, or gives the one that is there. */
export async function createDataKey(client: Queryable, master: MasterKey, owner: string): Promise<Buffer> {
  const key = randomBytes(32);
  const { rows } = await client.query(
    `INSERT INTO vault.data_key (owner, wrapped) VALUES ($1, $2)
     ON CONFLICT (owner) DO UPDATE SET owner = excluded.owner RETURNING wrapped`,
    [owner, master.seal(key, aadOf(owner))],
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
