import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { rewrapSigningKeys } from '../../command-api/account/signing-key.ts';
import { createPool, type Pool, transaction } from '../../platform/postgres/pool.ts';
import { readConfig } from '../../platform/process/config.ts';
import { rewrapDataKeys } from '../../platform/vault/data-keys.ts';
import { type MasterKey, openMasterKey } from '../../platform/vault/master-key.ts';

export interface Rotated {
  /** The number of the key that seals now. */
  version: number;
  /** false: an earlier run had added it, and died before all was wrapped. */
  added: boolean;
  dataKeys: number;
  signingKeys: number;
}

/** Rows of one transaction. */
const batchRows = 500;
/** Milliseconds until every process seals with the new key: they look each second. */
const lookedByAllMs = 2_000;

/**
 * Adds a master key to the file and wraps every data key and signing key anew with it, while everything runs; the log is
 * not touched. A run that dies is gone on with by the next one, which adds no key as long as an older one has wrapped
 * anything. `env` is that of the stack.
 */
export async function rotateMasterKey(
  env: Record<string, string | undefined>,
  told: (done: number, of: number) => void,
): Promise<Rotated> {
  const config = readConfig(env);
  const pool = createPool(config.databaseUrl, { name: 'rotate-master-key', max: 1, statementTimeoutMs: 0 });
  try {
    const before = openMasterKey(config.masterKeyFile);
    const added = (await countOlder(pool, before.version())) === 0;
    if (added) addKey(config.masterKeyFile);
    const master = openMasterKey(config.masterKeyFile);
    let dataKeys = await wrapAll(pool, master, told);
    const signingKeys = await transaction(pool, (client) => rewrapSigningKeys(client, master));
    // Accounts that were made meanwhile by a process that had not looked yet.
    await sleep(lookedByAllMs);
    dataKeys += await wrapAll(pool, master, () => {});
    return { version: master.version(), added, dataKeys, signingKeys };
  } finally {
    await pool.end();
  }
}

async function countOlder(pool: Pool, version: number): Promise<number> {
  const { rows } = await pool.query(
    'SELECT count(*) AS older FROM vault.data_key WHERE master_version < $1',
    [version],
  );
  return rows[0].older;
}

/** Written aside and renamed, so that whoever reads has the old file or the new one. */
function addKey(file: string): void {
  const aside = `${file}.${process.pid}`;
  const lines = `${readFileSync(file, 'utf8').trim()}\n${randomBytes(32).toString('base64')}\n`;
  try {
    writeFileSync(aside, lines, { mode: 0o600, flush: true, flag: 'wx' });
    renameSync(aside, file);
  } finally {
    rmSync(aside, { force: true });
  }
}

async function wrapAll(
  pool: Pool,
  master: MasterKey,
  told: (done: number, of: number) => void,
): Promise<number> {
  const of = await countOlder(pool, master.version());
  let done = 0;
  for (let after = ''; ; ) {
    const batch = await transaction(pool, (client) => rewrapDataKeys(client, master, after, batchRows));
    if (!batch) return done;
    done += batch.count;
    after = batch.last;
    told(done, of);
  }
}
