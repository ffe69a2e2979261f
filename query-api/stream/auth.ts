import jwt from 'jsonwebtoken';
import { type AccessTokenOptions, createTokenVerifier } from '../../platform/http/access-token.ts';
import { httpProblem } from '../../platform/http/problems.ts';

export interface Identity {
  userId: string;
  sessionId: string;
  /** Milliseconds since 1970: a stream outlives its token by at most a second. */
  expiresAt: number;
}

export interface Verifier {
  /** Who the access token speaks for. Throws token_missing, token_invalid or token_expired. */
  verify(token: string | null): Promise<Identity>;
  /** Whether the account is gone: its streams end with it. */
  isErased(userId: string): Promise<boolean>;
}

/** The verifier of the whole product, and when what it verified expires: a request ends by itself, a stream does not. */
export function openVerifier(options: AccessTokenOptions): Verifier {
  const verifyToken = createTokenVerifier(options);
  return {
    isErased: options.isErased,
    async verify(token) {
      if (!token) throw httpProblem('token_missing', { detail: 'Send the access token of login or refresh' });
      const { userId, sessionId } = await verifyToken(token);
      const { exp } = jwt.decode(token) as jwt.JwtPayload;
      return { userId, sessionId, expiresAt: exp! * 1_000 };
    },
  };
}
