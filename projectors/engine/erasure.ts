import type { Client } from '../../platform/postgres/pool.ts';
import type { Change, Model } from './model.ts';
import type { RegisterTable } from './tables.ts';

/** A build of a model, see apply.ts. */
interface Build {
  model: Model;
  consumer: string;
  tables: ReadonlyMap<string, RegisterTable>;
}

/** Of an advisory lock beside those of apply.ts, which are numbered from 0. */
const erasureLock = -1;

/**
 * Rounds that write rows of people go side by side; one that brings an erasure waits for all of them and they for it, so
 * that of a row and the erasure of whose it is the later sees the earlier (DESIGN §2 rule 4).
 */
export async function lockErasures(
  client: Client,
  { model, consumer }: Build,
  brings: boolean,
): Promise<void> {
  if (!model.erasure) return;
  const lock = brings ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared';
  await client.query(`SELECT ${lock}(hashtext($1), $2)`, [consumer, erasureLock]);
}

/** Makes tombstones of what these people had until now, and gives the rows that were touched, as changes. */
export async function eraseRows(
  client: Client,
  { tables }: Build,
  userIds: readonly string[],
): Promise<Change[]> {
  if (userIds.length === 0) return [];
  // A person's rows may be found by going through all there are.
  await client.query('SET LOCAL statement_timeout = 0');
  const touched: Change[] = [];
  for (const { name: table, eraseSql } of tables.values()) {
    if (eraseSql === null) continue;
    const { rows } = await client.query(eraseSql, [userIds]);
    for (const row of rows) touched.push({ table, row, live: false });
  }
  return touched;
}

/** Who is erased by these changes. */
export function erasedBy({ model }: Build, changes: readonly Change[]): string[] {
  const { erasure } = model;
  if (!erasure) return [];
  return changes.filter(({ table }) => table === erasure.people).map(({ row }) => String(row.user_id));
}

/** The same for all who were ever erased: after the bulk path of a rebuild, before anything is counted. */
export async function eraseAll(client: Client, { tables }: Build): Promise<void> {
  for (const { eraseAllSql } of tables.values()) if (eraseAllSql !== null) await client.query(eraseAllSql);
}
