import { z } from 'zod';
import { route } from '../route.ts';
import { Account, FullName, Gender, Username } from '../shapes.ts';
import { line } from '../text.ts';

const Password = z
  .string()
  .min(8)
  .max(200)
  .refine((text) => /\p{Lu}/u.test(text), 'must have an upper-case letter')
  .refine((text) => /\p{Ll}/u.test(text), 'must have a lower-case letter')
  .refine((text) => /\p{Nd}/u.test(text), 'must have a digit')
  .refine((text) => /[^\p{L}\p{N}]/u.test(text), 'must have a special character')
  .describe('At least 8 characters with upper case, lower case, a digit and a special character');

/** Nobody alive was born earlier; Postgres has no year 0, which would park the account's events. */
const DateOfBirth = z.iso
  .date()
  .refine((date) => date >= '1900', 'must be in 1900 or later')
  .describe('In 1900 or later, and at least 13 years ago');

const Token = z.object({
  accessToken: z.string().describe('JWT, ES256'),
  refreshToken: z.string().describe('Used once; each refresh gives the next'),
  expiresIn: z.int().describe('Seconds that the access token lives'),
});

const signedIn = z.object({ user: Account, token: Token });

export const register = route({
  name: 'register',
  method: 'post',
  path: '/api/auth/register',
  service: 'command',
  tag: 'account',
  summary: 'Make an account',
  auth: 'none',
  reads: [],
  idempotencyKey: 'required',
  body: z.strictObject({
    username: Username,
    email: z.email().max(254),
    password: Password,
    fullName: FullName,
    dateOfBirth: DateOfBirth,
    gender: Gender.nullable().default(null),
  }),
  success: { status: 201, body: signedIn, description: 'The account and its first session' },
  problems: ['username_taken', 'email_taken'],
});

export const login = route({
  name: 'login',
  method: 'post',
  path: '/api/auth/login',
  service: 'command',
  tag: 'account',
  summary: 'Open a session with email or username and password',
  auth: 'none',
  reads: ['accounts'],
  body: z.strictObject({ identifier: line({ min: 1, max: 254 }), password: z.string().min(1).max(200) }),
  success: { status: 200, body: signedIn, description: 'The account and a new session' },
  problems: ['credentials_wrong'],
});

export const refresh = route({
  name: 'refresh',
  method: 'post',
  path: '/api/auth/refresh',
  service: 'command',
  tag: 'account',
  summary: 'Change a refresh token for a new pair; a second use of one ends the session',
  auth: 'none',
  reads: [],
  body: z.strictObject({ refreshToken: z.string().min(1).max(500) }),
  success: { status: 200, body: z.object({ token: Token }), description: 'The next pair' },
  problems: ['refresh_token_invalid'],
});

export const readJwks = route({
  name: 'readJwks',
  method: 'get',
  path: '/.well-known/jwks.json',
  service: 'command',
  tag: 'account',
  summary: 'The public keys that verify access tokens (RFC 7517)',
  auth: 'none',
  reads: [],
  success: {
    status: 200,
    body: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
    description: 'A JSON Web Key set',
  },
  problems: [],
});
