import { randomBytes } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { v7 } from 'uuid';
import { type Client, type Pool, transaction } from '../../platform/postgres/pool.ts';
import type { MasterKey } from '../../platform/vault/master-key.ts';
import { problem } from '../guards/problem.ts';
import type { SigningKey } from './signing-key.ts';

/** Seconds that an access token lives, and days that a refresh token does (F-ID3). */
const accessSeconds = 15 * 60;
const refreshDays = 30;

export interface TokenPair {
  accessToken: string;
  refreshToken: string;
  /** Seconds that the access token lives. */
  expiresIn: number;
}

export interface Sessions {
  /** A new session of somebody whose password was verified. */
  open(userId: string): Promise<TokenPair>;
  /** The next pair for a refresh token; null when it isn't valid. A second use of one ends its session for good. */
  refresh(refreshToken: string): Promise<TokenPair | null>;
}

interface Session {
  sessionId: string;
  userId: string;
}

export interface SessionsOptions {
  pool: Pool;
  master: MasterKey;
  signing: SigningKey;
  /** Who vouches for the tokens: the public address of this system. */
  issuer: string;
}

export function openSessions({ pool, master, signing, issuer }: SessionsOptions): Sessions {
  const hmacOf = (refreshToken: string): Buffer => master.hmac('refresh-token', refreshToken);

  const addRefreshToken = async (client: Client, sessionId: string): Promise<string> => {
    const refreshToken = randomBytes(32).toString('base64url');
    await client.query(
      `INSERT INTO vault.refresh_token (token_hmac, session_id, expires_at)
       VALUES ($1, $2, now() + make_interval(days => $3))`,
      [hmacOf(refreshToken), sessionId, refreshDays],
    );
    return refreshToken;
  };
  const pairOf = (session: Session, refreshToken: string): TokenPair => ({
    accessToken: signAccess(session, signing, issuer),
    refreshToken,
    expiresIn: accessSeconds,
  });

  return {
    async open(userId) {
      const session = { sessionId: v7(), userId };
      const refreshToken = await transaction(pool, async (client) => {
        await openFor(client, session);
        return addRefreshToken(client, session.sessionId);
      });
      return pairOf(session, refreshToken);
    },
    refresh: (refreshToken) =>
      transaction(pool, async (client) => {
        const session = await useToken(client, hmacOf(refreshToken));
        return session && pairOf(session, await addRefreshToken(client, session.sessionId));
      }),
  };
}

/** Throws credentials_wrong for an account that was erased since its password was verified. */
async function openFor(client: Client, { sessionId, userId }: Session): Promise<void> {
  const { rowCount } = await client.query(
    `INSERT INTO vault.session (session_id, user_id)
     SELECT $1, user_id FROM vault.credential WHERE user_id = $2 FOR KEY SHARE`,
    [sessionId, userId],
  );
  if (rowCount === 0) throw problem('credentials_wrong');
}

/** Deletes refresh tokens that nobody can use any more, and sessions that have no other, in bounded batches. */
export async function sweepRefreshTokens(pool: Pool): Promise<number> {
  const { rows } = await pool.query(
    `WITH gone AS (
       DELETE FROM vault.refresh_token WHERE token_hmac IN (
         SELECT token_hmac FROM vault.refresh_token WHERE expires_at < now() LIMIT 1000)
       RETURNING session_id
     ), ended AS (
       DELETE FROM vault.session s WHERE session_id IN (SELECT session_id FROM gone)
         AND NOT EXISTS (SELECT FROM vault.refresh_token t WHERE t.session_id = s.session_id AND t.expires_at >= now())
     )
     SELECT count(*) AS deleted FROM gone`,
  );
  return rows[0].deleted;
}

/** Marks the token used and gives its session; a used one tells of a thief, so its session ends (F-ID3). */
async function useToken(client: Client, hmac: Buffer): Promise<Session | null> {
  const { rows } = await client.query(
    `SELECT s.session_id, s.user_id, s.revoked_at, t.used_at, t.expires_at < now() AS expired
     FROM vault.refresh_token t JOIN vault.session s USING (session_id)
     WHERE t.token_hmac = $1 FOR UPDATE`,
    [hmac],
  );
  const found = rows[0];
  if (!found || found.revoked_at || found.expired) return null;
  if (found.used_at) {
    await client.query('UPDATE vault.session SET revoked_at = now() WHERE session_id = $1', [
      found.session_id,
    ]);
    return null;
  }
  await client.query('UPDATE vault.refresh_token SET used_at = now() WHERE token_hmac = $1', [hmac]);
  await client.query('UPDATE vault.session SET last_seen = now() WHERE session_id = $1', [found.session_id]);
  return { sessionId: found.session_id, userId: found.user_id };
}

/** kid names the key in the header; sub is the user, sid the session. */
export function signAccess(
  { sessionId, userId }: Session,
  { kid, privateKey }: SigningKey,
  issuer: string,
  expiresIn = accessSeconds,
): string {
  return jwt.sign({ sid: sessionId }, privateKey, {
    algorithm: 'ES256',
    keyid: kid,
    issuer,
    subject: userId,
    expiresIn,
  });
}
