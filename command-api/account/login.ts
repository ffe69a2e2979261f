import type { Pool } from '../../platform/postgres/pool.ts';
import type { MasterKey } from '../../platform/vault/master-key.ts';
import { problem } from '../guards/problem.ts';
import { loginClaim } from './claims.ts';
import type { Passwords } from './passwords.ts';

export interface LoginShell {
  pool: Pool;
  master: MasterKey;
  passwords: Passwords;
}

/**
 * The user id behind a username or email and its password. Whether the name exists shows neither in the answer nor in
 * the time it takes: for an unknown one another hash is checked. Throws credentials_wrong.
 */
export async function verifyLogin(shell: LoginShell, name: string, password: string): Promise<string> {
  const claim = loginClaim(shell.master, name);
  const { rows } = await shell.pool.query(
    `SELECT user_id, password_hash FROM vault.claim LEFT JOIN vault.credential USING (user_id)
     WHERE kind = $1 AND value_hmac = $2`,
    [claim.kind, claim.hmac],
  );
  const verified = await shell.passwords.verify(rows[0]?.password_hash ?? null, password);
  if (!verified) throw problem('credentials_wrong');
  return rows[0].user_id;
}
