import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sweepRefreshTokens } from '../../command-api/account/sessions.ts';
import { openSigningKey, type SigningKey } from '../../command-api/account/signing-key.ts';
import { createPool, type Pool } from '../../platform/postgres/pool.ts';
import { openMasterKey } from '../../platform/vault/master-key.ts';
import { type Answer, expectStatus, type Person } from '../harness/client.ts';
import { startWorld, type World } from '../harness/world.ts';
import { inCase } from './stage.ts';

interface TokenPair {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
}

/** Seconds that an access token lives (F-ID3). */
const accessSeconds = 900;

let world: World;
let pool: Pool;
let ann: Person;
let ben: Person;

beforeAll(async () => {
  world = await startWorld({ services: ['command-api', 'query-api', 'projectors'] });
  pool = createPool(world.env.DATABASE_URL!, { name: 'test', max: 2 });
  [ann, ben] = [await world.api.register(), await world.api.register()];
  await world.drained();
  // A world that has just begun may not have noticed yet that its models are served.
  await vi.waitFor(async () => expectStatus(await login(ann.username), 200), { timeout: 10_000 });
});

afterAll(async () => {
  await pool?.end();
  await world?.stop();
});

function login(identifier: string, password = ann.password): Promise<Answer> {
  return world.api.call('POST', '/api/auth/login', { body: { identifier, password } });
}

async function openSession(): Promise<TokenPair> {
  const answer = await login(ann.username);
  expectStatus(answer, 200);
  return answer.body.token;
}

function refresh(refreshToken: string): Promise<Answer> {
  return world.api.call('POST', '/api/auth/refresh', { body: { refreshToken } });
}

/** What both services that take tokens say to this one: a status, and the code of a refusal. */
async function heard(token: string): Promise<string[]> {
  const edit = { fullName: 'Ann Example', bio: '', website: null, gender: null, avatarMediaId: null };
  const answers = await Promise.all([
    world.api.call('GET', '/api/users/me', { token }),
    world.api.call('PUT', '/api/users/me', { token, body: edit }),
  ]);
  return answers.map(({ status, body }) => (status === 200 ? '200' : `${status} ${body.code}`));
}

const [accepted, invalid, expired] = ['200', '401 token_invalid', '401 token_expired'].map((said) => [
  said,
  said,
]);

/** A problem without what differs from request to request. */
function withoutTrace({ status, body }: Answer) {
  const { traceId: _, ...problem } = body;
  return { status, problem };
}

describe('login', () => {
  it('takes the username and the email address, in any case', async () => {
    const names = [ann.username, `${ann.username}@example.org`];
    for (const name of [...names, ...names.map((plain) => inCase(plain, 85))]) {
      const answer = await login(name);
      expectStatus(answer, 200);
      expect(answer.body.user).toMatchObject({ id: ann.id, username: ann.username });
      expect(await heard(answer.body.token.accessToken)).toEqual(accepted);
    }
  });

  it("says the same to a wrong password, an unknown name and somebody else's password", async () => {
    const wrong = await login(ann.username, 'Wrong-horse-9');
    expect(wrong.status).toBe(401);
    expect(wrong.body.code).toBe('credentials_wrong');
    const others = [
      await login('nobody_at_all', ann.password),
      await login('nobody@example.org', ann.password),
      await login(ann.username, `${ben.password} `),
      await login('not a name; at all', ann.password),
    ];
    for (const other of others) expect(withoutTrace(other)).toEqual(withoutTrace(wrong));
  });

  it('tells nobody by its time whether a name exists', async () => {
    const took = async (name: string): Promise<number> => {
      const begun = performance.now();
      await login(name, 'Wrong-horse-9');
      return performance.now() - begun;
    };
    const [known, unknown]: number[][] = [[], []];
    for (let n = 0; n < 9; n += 1) {
      known!.push(await took(ann.username));
      unknown!.push(await took(`nobody_${n}`));
    }
    // Hashing takes tens of milliseconds: without it an unknown name would be answered in a few.
    const median = (times: number[]): number => times.sort((a, b) => a - b)[4]!;
    expect(median(unknown!)).toBeGreaterThan(median(known!) / 3);
  });

  it('opens a session of its own each time', async () => {
    const [one, two] = [await openSession(), await openSession()];
    const sids = [one, two].map(({ accessToken }) => (jwt.decode(accessToken) as jwt.JwtPayload).sid);
    expect(new Set(sids).size).toBe(2);
    expect(one.refreshToken).not.toBe(two.refreshToken);
  });
});

describe('an access token', () => {
  it('says who, which session, by whom and until when, signed with a key of the JWKS', async () => {
    const { accessToken, expiresIn } = await openSession();
    const jwks = await world.api.call('GET', '/.well-known/jwks.json');
    const { header, payload } = jwt.decode(accessToken, { complete: true }) as jwt.Jwt;
    expect(header).toEqual({ alg: 'ES256', typ: 'JWT', kid: expect.any(String) });
    const claims = payload as jwt.JwtPayload;
    expect(Object.keys(claims).sort()).toEqual(['exp', 'iat', 'iss', 'sid', 'sub']);
    expect(claims).toMatchObject({ sub: ann.id, iss: world.env.PUBLIC_URL });
    expect(claims.exp! - claims.iat!).toBe(accessSeconds);
    expect(expiresIn).toBe(accessSeconds);
    const jwk = jwks.body.keys.find(({ kid }: { kid: string }) => kid === header.kid);
    expect(jwk).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' });
    expect(() =>
      jwt.verify(accessToken, createPublicKey({ key: jwk, format: 'jwk' }), { algorithms: ['ES256'] }),
    ).not.toThrow();
  });

  it('and the JWKS tell no private half', async () => {
    const { body } = await world.api.call('GET', '/.well-known/jwks.json');
    for (const jwk of body.keys) expect(jwk).not.toHaveProperty('d');
  });
});

describe('a refresh', () => {
  it('gives the next pair of the same session', async () => {
    const first = await openSession();
    const answer = await refresh(first.refreshToken);
    expectStatus(answer, 200);
    const next: TokenPair = answer.body.token;
    expect(next.refreshToken).not.toBe(first.refreshToken);
    expect(await heard(next.accessToken)).toEqual(accepted);
    const [before, after] = [first, next].map(({ accessToken }) => jwt.decode(accessToken) as jwt.JwtPayload);
    expect(after).toMatchObject({ sub: before!.sub, sid: before!.sid });
    expectStatus(await refresh(next.refreshToken), 200);
  });

  it('with a token that was used ends its session for good, and no other', async () => {
    const [stolen, other] = [await openSession(), await openSession()];
    const { refreshToken: next } = (await refresh(stolen.refreshToken)).body.token;
    const again = await refresh(stolen.refreshToken);
    expect(again.status).toBe(401);
    expect(again.body.code).toBe('refresh_token_invalid');
    for (const token of [next, stolen.refreshToken]) {
      expect(withoutTrace(await refresh(token))).toEqual(withoutTrace(again));
    }
    expectStatus(await refresh(other.refreshToken), 200);
  });

  it('sent many times at once is answered once, and its session ends', async () => {
    const { refreshToken } = await openSession();
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(refreshToken)));
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    expect((await refresh(winners[0]!.body.token.refreshToken)).status).toBe(401);
  });

  it('takes nothing else for a refresh token', async () => {
    const { accessToken } = await openSession();
    for (const token of ['x', 'A'.repeat(43), accessToken.slice(0, 500)]) {
      expect((await refresh(token)).body.code).toBe('refresh_token_invalid');
    }
  });

  it('is over when the token has expired', async () => {
    const { accessToken, refreshToken } = await openSession();
    const { sid } = jwt.decode(accessToken) as jwt.JwtPayload;
    await pool.query(
      `UPDATE vault.refresh_token SET expires_at = now() - interval '1 second' WHERE session_id = $1`,
      [sid],
    );
    expect((await refresh(refreshToken)).body.code).toBe('refresh_token_invalid');
  });
});

describe('a token that is not ours', () => {
  let key: SigningKey;
  let claims: jwt.JwtPayload;

  beforeAll(async () => {
    key = await openSigningKey(pool, openMasterKey(world.env.EMULSION_MASTER_KEY_FILE!));
    claims = jwt.decode(ann.token) as jwt.JwtPayload;
  });

  /** As command-api signs, but for what is said. */
  function sign(changes: jwt.JwtPayload, options: jwt.SignOptions = {}, secret: jwt.Secret = key.privateKey) {
    const payload = Object.fromEntries(
      Object.entries({ ...claims, ...changes }).filter(([, value]) => value !== undefined),
    );
    return jwt.sign(payload, secret, { algorithm: 'ES256', keyid: key.kid, ...options });
  }

  it('would be taken if it were signed by the right key', async () => {
    expect(await heard(sign({}))).toEqual(accepted);
  });

  it('is refused when another key has signed it, whatever kid it names', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (const keyid of [key.kid, 'unknown', '']) {
      expect(await heard(sign({}, { keyid }, privateKey))).toEqual(invalid);
    }
  });

  it('is refused when it says that it needs no signature', async () => {
    const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
    const [, payload, signature] = ann.token.split('.');
    for (const alg of ['none', 'None', 'NONE']) {
      const header = encode({ alg, typ: 'JWT', kid: key.kid });
      expect(await heard(`${header}.${payload}.`)).toEqual(invalid);
      expect(await heard(`${header}.${payload}.${signature}`)).toEqual(invalid);
    }
  });

  it('is refused when the public key was used as a shared secret', async () => {
    const { body } = await world.api.call('GET', '/.well-known/jwks.json');
    const pem = createPublicKey({ key: body.keys[0], format: 'jwk' }).export({ format: 'pem', type: 'spki' });
    expect(await heard(sign({}, { algorithm: 'HS256' }, Buffer.from(pem)))).toEqual(invalid);
  });

  it('is refused when what it says was changed after it was signed', async () => {
    const [header, , signature] = ann.token.split('.');
    const payload = Buffer.from(JSON.stringify({ ...claims, sub: ben.id })).toString('base64url');
    expect(await heard(`${header}.${payload}.${signature}`)).toEqual(invalid);
  });

  it('is refused when somebody else is its issuer, or it leaves out who or until when', async () => {
    for (const changes of [
      { iss: 'https://elsewhere.example' },
      { sub: undefined },
      { sid: undefined },
      { exp: undefined },
    ]) {
      expect(await heard(sign(changes))).toEqual(invalid);
    }
  });

  it('is refused when it is over, by another code: a client refreshes then', async () => {
    const now = Math.floor(Date.now() / 1000);
    expect(await heard(sign({ iat: now - 1000, exp: now - 1 }))).toEqual(expired);
  });

  it('is over in time although it was taken before', async () => {
    const token = sign({ exp: Math.floor(Date.now() / 1000) + 4 });
    expect(await heard(token)).toEqual(accepted);
    await vi.waitFor(async () => expect(await heard(token)).toEqual(expired), { timeout: 10_000 });
  });

  it('is refused when it is no token at all', async () => {
    for (const token of ['x', 'a.b.c', 'A'.repeat(5_000)]) expect(await heard(token)).toEqual(invalid);
  });
});

it('a session goes with the last refresh token that could have gone on with it', async () => {
  await sweepRefreshTokens(pool);
  await openSession();
  const lasting = await openSession();
  const sessions = async () =>
    (await pool.query('SELECT session_id FROM vault.session ORDER BY created_at')).rows;
  const before = await sessions();
  const gone = before.at(-2)!.session_id;
  await pool.query(
    "UPDATE vault.refresh_token SET expires_at = now() - interval '1 s' WHERE session_id = $1",
    [gone],
  );
  expect(await sweepRefreshTokens(pool)).toBe(1);
  expect(await sessions()).toEqual(before.filter(({ session_id }) => session_id !== gone));
  expectStatus(await refresh(lasting.refreshToken), 200);
});
