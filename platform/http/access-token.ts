import { createHash, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import type { Viewer } from './contract.ts';
import { httpProblem } from './problems.ts';

export interface AccessTokenOptions {
  /** The public key of a kid, or null when there is none. May throw when it can't be asked for. */
  keyOf(kid: string): Promise<KeyObject | null>;
  issuer: string;
  /** Whether the account of a token is gone; asked for every request. */
  isErased(userId: string): Promise<boolean>;
}

export type VerifyToken = (token: string) => Promise<Viewer>;

/** Longer is none of ours. */
const maxTokenLength = 4_096;

/** Verified tokens kept until they expire. */
const maxKept = 20_000;

const accountGone = 'The account of this token is gone.';

interface Verified {
  viewer: Viewer;
  /** Milliseconds since the epoch. */
  expires: number;
}

/**
 * Verifies access tokens: ES256 only, with the key that their kid names. A verified one is not verified again before
 * it expires; whether its account stands is asked each time. Throws token_invalid or token_expired.
 */
export function createTokenVerifier(options: AccessTokenOptions): VerifyToken {
  const verified = new LRUCache<string, Verified>({ max: maxKept });
  return async (token) => {
    if (token.length > maxTokenLength) throw httpProblem('token_invalid');
    const digest = createHash('sha256').update(token).digest('base64');
    let known = verified.get(digest);
    if (known && known.expires <= Date.now()) throw httpProblem('token_expired');
    if (!known) {
      known = await verify(token, options);
      verified.set(digest, known);
    }
    const { viewer } = known;
    if (await options.isErased(viewer.userId)) throw httpProblem('token_invalid', { detail: accountGone });
    return viewer;
  };
}

async function verify(token: string, options: AccessTokenOptions): Promise<Verified> {
  const header = headerOf(token);
  if (header?.alg !== 'ES256' || typeof header.kid !== 'string') throw httpProblem('token_invalid');
  const key = await options.keyOf(header.kid);
  if (!key) throw httpProblem('token_invalid');
  const claims = claimsOf(token, key, options.issuer);
  if (typeof claims.sub !== 'string' || typeof claims.sid !== 'string' || typeof claims.exp !== 'number')
    throw httpProblem('token_invalid');
  return { viewer: { userId: claims.sub, sessionId: claims.sid }, expires: claims.exp * 1000 };
}

/** Decoding throws when a part that should be JSON is none. */
function headerOf(token: string): jwt.JwtHeader | undefined {
  try {
    return jwt.decode(token, { complete: true })?.header;
  } catch {
    throw httpProblem('token_invalid');
  }
}

function claimsOf(token: string, key: KeyObject, issuer: string): jwt.JwtPayload {
  try {
    return jwt.verify(token, key, { algorithms: ['ES256'], issuer }) as jwt.JwtPayload;
  } catch (error) {
    throw httpProblem(error instanceof jwt.TokenExpiredError ? 'token_expired' : 'token_invalid');
  }
}
