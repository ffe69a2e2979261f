import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { type Client, type Pool, transaction } from '../../platform/postgres/pool.ts';
import { type MasterKey, masterVersionOf } from '../../platform/vault/master-key.ts';

/** Signs access tokens (F-ID3: ES256). */
export interface SigningKey {
  kid: string;
  privateKey: KeyObject;
}

const aadOf = (kid: string): string => `signing-key ${kid}`;

/** The newest signing key, made at the first start of all. The private half is only ever in the vault, sealed. */
export async function openSigningKey(pool: Pool, master: MasterKey): Promise<SigningKey> {
  const row = await transaction(pool, async (client) => {
    await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('emulsion signing key', 0))`);
    return (await newestKey(client)) ?? (await makeKey(client, master));
  });
  const privateKey = createPrivateKey({
    key: master.open(row.private_wrapped, aadOf(row.kid)),
    format: 'der',
    type: 'pkcs8',
  });
  return { kid: row.kid, privateKey };
}

/** The public halves as a JSON Web Key set (RFC 7517). */
export async function readPublicKeys(pool: Pool): Promise<{ keys: Record<string, unknown>[] }> {
  const { rows } = await pool.query('SELECT public_jwk FROM vault.signing_key ORDER BY created_at DESC');
  return { keys: rows.map((row) => row.public_jwk) };
}

/** Wraps signing keys that an older master key has wrapped under the newest. Gives how many there were. */
export async function rewrapSigningKeys(client: Client, master: MasterKey): Promise<number> {
  const { rows } = await client.query('SELECT kid, private_wrapped FROM vault.signing_key FOR NO KEY UPDATE');
  const old = rows.filter((row) => masterVersionOf(row.private_wrapped) < master.version());
  for (const { kid, private_wrapped } of old)
    await client.query('UPDATE vault.signing_key SET private_wrapped = $2 WHERE kid = $1', [
      kid,
      master.seal(master.open(private_wrapped, aadOf(kid)), aadOf(kid)),
    ]);
  return old.length;
}

interface KeyRow {
  kid: string;
  private_wrapped: Buffer;
}

async function newestKey(client: Client): Promise<KeyRow | undefined> {
  const { rows } = await client.query(
    'SELECT kid, private_wrapped FROM vault.signing_key ORDER BY created_at DESC LIMIT 1',
  );
  return rows[0];
}

async function makeKey(client: Client, master: MasterKey): Promise<KeyRow> {
  const kid = randomUUID();
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' };
  const wrapped = master.seal(privateKey.export({ format: 'der', type: 'pkcs8' }), aadOf(kid));
  await client.query('INSERT INTO vault.signing_key (kid, public_jwk, private_wrapped) VALUES ($1, $2, $3)', [
    kid,
    JSON.stringify(publicJwk),
    wrapped,
  ]);
  return { kid, private_wrapped: wrapped };
}
