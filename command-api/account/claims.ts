import type { Client, Queryable } from '../../platform/postgres/pool.ts';
import type { MasterKey } from '../../platform/vault/master-key.ts';
import { foldEmail, foldUsername } from './fold.ts';

export type ClaimKind = 'email' | 'username';

/** One name that only one account may hold; an HMAC stands for it, so that no name is in the vault in clear. */
export interface Claim {
  kind: ClaimKind;
  hmac: Buffer;
}

export function emailClaim(master: MasterKey, email: string): Claim {
  return { kind: 'email', hmac: master.hmac('claim email', foldEmail(email)) };
}

export function usernameClaim(master: MasterKey, username: string): Claim {
  return { kind: 'username', hmac: master.hmac('claim username', foldUsername(username)) };
}

/** The claim behind what somebody types at login: usernames have no @. */
export function loginClaim(master: MasterKey, name: string): Claim {
  return name.includes('@') ? emailClaim(master, name) : usernameClaim(master, name);
}

/** Who holds each claim now, in the order asked; null when it is free. */
export async function holdersOf(client: Queryable, claims: readonly Claim[]): Promise<(string | null)[]> {
  const { rows } = await client.query(
    `SELECT c.user_id FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS a (kind, value_hmac, n)
     LEFT JOIN vault.claim c USING (kind, value_hmac) ORDER BY a.n`,
    [claims.map((claim) => claim.kind), claims.map((claim) => claim.hmac)],
  );
  return rows.map((row) => row.user_id);
}

/**
 * Takes the claims for this account, those that are free; waits for another transaction that is taking one of them.
 * Always in one order (kind, value), so that two registrations never wait for each other. Gives how many it took.
 */
export async function takeClaims(client: Client, claims: readonly Claim[], userId: string): Promise<number> {
  const { rowCount } = await client.query(
    `INSERT INTO vault.claim (kind, value_hmac, user_id)
     SELECT kind, value_hmac, $3 FROM unnest($1::text[], $2::bytea[]) AS a (kind, value_hmac)
     ORDER BY kind, value_hmac ON CONFLICT (kind, value_hmac) DO NOTHING`,
    [claims.map((claim) => claim.kind), claims.map((claim) => claim.hmac), userId],
  );
  return rowCount ?? 0;
}
