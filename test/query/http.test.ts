import { generateKeyPairSync } from 'node:crypto';
import { connect } from 'node:net';
import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTokenVerifier } from '../../platform/http/access-token.ts';
import { createBinder } from '../../platform/http/bind.ts';
import { clientIpBehind } from '../../platform/http/client-ip.ts';
import { type HttpServer, openHttpServer } from '../../platform/http/server.ts';
import { createKeyStore } from '../../platform/http/signing-keys.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { createMetrics } from '../../platform/telemetry/metrics.ts';
import { currentTrace } from '../../platform/telemetry/trace.ts';
import { route } from '../../schemas/route.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const issuer = 'emulsion';
const userId = '0190a000-0000-7000-8000-000000000001';

const base = { service: 'query', tag: 'system', summary: '', reads: [], problems: [] } as const;
const readThing = route({
  ...base,
  name: 'readThing',
  method: 'get',
  path: '/api/things/{id}',
  auth: 'optional',
  params: z.strictObject({ id: z.uuid() }),
  query: z.strictObject({ limit: z.coerce.number().int().min(1).default(20) }),
  success: {
    status: 200,
    body: z.object({ id: z.string(), limit: z.int(), who: z.string() }),
    description: '',
  },
});
const myThing = route({
  ...base,
  name: 'myThing',
  method: 'get',
  path: '/api/things/mine',
  auth: 'user',
  success: { status: 200, body: z.object({ who: z.string() }), description: '' },
});
const makeThing = route({
  ...base,
  name: 'makeThing',
  method: 'post',
  path: '/api/things',
  auth: 'none',
  idempotencyKey: 'required',
  body: z.strictObject({ names: z.array(z.strictObject({ name: z.string().min(1) })) }),
  bodyLimit: 1000,
  success: { status: 201, body: z.object({ count: z.int() }), description: '' },
});
const breakThing = route({
  ...base,
  name: 'breakThing',
  method: 'delete',
  path: '/api/things/{id}',
  auth: 'none',
  params: z.strictObject({ id: z.string() }),
  success: { status: 204, description: '' },
});
const known = [readThing, myThing, makeThing, breakThing, { method: 'put', path: '/elsewhere' }];

let server: HttpServer;
let redisIsUp = true;
let postgresIsUp = true;

beforeAll(async () => {
  const keyOf = createKeyStore(async () => [{ kid: 'k1', jwk: publicKey.export({ format: 'jwk' }) }]);
  const handle = createBinder({
    verify: createTokenVerifier({ keyOf, issuer, isErased: async () => false }),
    open: async () => ({ opened: true }),
    headers: () => ({ 'X-As-Of': 'now' }),
  });
  server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: createLogger('test', 'silent'),
    metrics: createMetrics('test'),
    known,
    corsOrigins: ['https://app.example'],
    trustedProxies: ['127.0.0.1/32'],
    checks: [
      { name: 'postgres', required: true, check: async () => assertUp(postgresIsUp) },
      { name: 'redis', required: false, check: async () => assertUp(redisIsUp) },
    ],
    routes: [
      handle(readThing, async ({ params, query, viewer }) => ({
        body: { id: params.id, limit: query.limit, who: viewer?.userId ?? currentTrace()!.traceId },
      })),
      handle(myThing, async ({ viewer }) => ({ body: { who: viewer.userId } })),
      handle(makeThing, async ({ body }) => ({ body: { count: body.names.length } })),
      handle(breakThing, async ({ params }) => {
        if (params.id === 'down') throw Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
        if (params.id === 'bug') throw new Error('secret detail');
        return {};
      }),
    ],
  });
});

afterAll(() => server.close());

function assertUp(up: boolean): void {
  if (!up) throw new Error('is down');
}

function call(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.port}${path}`, init);
}

function tokenWith(claims: object, options: jwt.SignOptions = {}): string {
  return jwt.sign({ sub: userId, sid: 's', ...claims }, privateKey, {
    algorithm: 'ES256',
    keyid: 'k1',
    issuer,
    expiresIn: 60,
    ...options,
  });
}

function withToken(token: string): RequestInit {
  return { headers: { authorization: `Bearer ${token}` } };
}

function post(body: string, headers: Record<string, string> = {}): Promise<Response> {
  const all = { 'content-type': 'application/json', 'idempotency-key': 'a', ...headers };
  return call('/api/things', { method: 'POST', body, headers: all });
}

async function problemOf(answer: Response) {
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  return (await answer.json()) as {
    code: string;
    type: string;
    errors: unknown[];
    detail?: string;
    traceId: string;
  };
}

const thing = '/api/things/0190a000-0000-7000-8000-000000000002';

describe('requests', () => {
  it('gives the handler what the contract says, and goes on in the trace of the caller', async () => {
    const traceId = 'a'.repeat(32);
    const answer = await call(thing, { headers: { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` } });
    expect(await answer.json()).toMatchObject({ limit: 20, who: traceId });
    expect(answer.headers.get('x-request-id')).toBe(traceId);
    expect(answer.headers.get('traceparent')).toContain(traceId);
    expect(answer.headers.get('x-as-of')).toBe('now');
    expect(answer.headers.get('cache-control')).toBe('private, no-cache');
  });

  it('names every field that is wrong, unknown ones too', async () => {
    const answer = await post('{"names":[{"name":"","x":1}],"extra":true}');
    expect(answer.status).toBe(400);
    const problem = await problemOf(answer);
    expect(problem).toMatchObject({ code: 'request_invalid', type: '/problems/request_invalid' });
    expect(problem.errors).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ in: 'body', field: 'names[0].name' }),
        { in: 'body', field: 'names[0].x', message: 'unknown field' },
        { in: 'body', field: 'extra', message: 'unknown field' },
      ]),
    );
    const other = await problemOf(await call(`${thing}?limit=x&limit=2&y=1`));
    expect(other.errors).toHaveLength(2);
  });

  it.each([
    ['{"names":', {}, 400, 'body_not_json'],
    ['{"names":[]}', { 'content-type': 'text/plain' }, 415, 'content_type_unsupported'],
    ['{"names":[]}', { 'content-encoding': 'gzip' }, 415, 'content_type_unsupported'],
    [`{"names":["${'x'.repeat(1000)}"]}`, {}, 413, 'body_too_large'],
    ['{"names":[]}', { 'idempotency-key': '' }, 400, 'idempotency_key_missing'],
    ['', {}, 400, 'request_invalid'],
    ['"text"', {}, 400, 'request_invalid'],
  ])('refuses body %s with %o as %i %s', async (body, headers, status, code) => {
    const answer = await post(body, headers);
    expect([answer.status, (await problemOf(answer)).code]).toEqual([status, code]);
  });

  it('counts a body that does not say how long it is', async () => {
    const parts = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 5; i += 1) controller.enqueue(new TextEncoder().encode(' '.repeat(400)));
        controller.close();
      },
    });
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'a' };
    const answer = await call('/api/things', {
      method: 'POST',
      body: parts,
      headers,
      duplex: 'half',
    } as RequestInit);
    expect((await problemOf(answer)).code).toBe('body_too_large');
  });

  it('tells a wrong address from a wrong method, wherever in the product it is served', async () => {
    expect((await problemOf(await call('/api/nothing'))).code).toBe('route_not_found');
    const wrong = await call('/elsewhere');
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'PUT']);
    expect((await call(thing, { method: 'PATCH' })).headers.get('allow')).toBe('GET, DELETE, HEAD');
    // There is no thing whose id is "mine": the address is another's, which can't be deleted.
    const mine = await call('/api/things/mine', { method: 'DELETE' });
    expect([mine.status, mine.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('says 503 for an outage, 500 for a bug, and nothing of either', async () => {
    const down = await call('/api/things/down', { method: 'DELETE' });
    expect([down.status, (await problemOf(down)).code]).toEqual([503, 'dependency_unavailable']);
    const bug = await call('/api/things/bug', { method: 'DELETE' });
    expect(JSON.stringify(await problemOf(bug))).not.toContain('secret');
    expect((await call('/api/things/x', { method: 'DELETE' })).status).toBe(204);
  });

  it('answers 304 to whoever has it', async () => {
    const path = '/api/things/mine';
    const headers = { authorization: `Bearer ${tokenWith({})}` };
    const tag = (await call(path, { headers })).headers.get('etag')!;
    expect(tag).toMatch(/^W\//);
    const again = await call(path, { headers: { ...headers, 'if-none-match': tag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it('allows configured origins only', async () => {
    const preflight = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
    const asked = await call('/api/things', { method: 'OPTIONS', headers: preflight });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://app.example',
    ]);
    const foreign = await call(thing, { headers: { origin: 'https://evil.example' } });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
    expect(foreign.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    ['what is not HTTP', 'NONSENSE', 400, 'request_invalid'],
    ['endless headers', `GET /api/things HTTP/1.1\r\nX: ${'x'.repeat(50_000)}`, 431, 'headers_too_large'],
  ])('answers %s with a problem document', async (_what, text, status, code) => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write(`${text}\r\n\r\n`));
      socket.once('data', (data) => resolve(data.toString()));
    });
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toContain('application/problem+json');
    const traceId = head.match(/X-Request-Id: ([0-9a-f]{32})/)?.[1];
    expect(JSON.parse(body)).toMatchObject({ type: `/problems/${code}`, status, code, traceId });
  });
});

describe('access tokens', () => {
  const mine = async (token: string): Promise<string> => {
    const answer = await call('/api/things/mine', withToken(token));
    return answer.ok ? ((await answer.json()) as { who: string }).who : (await problemOf(answer)).code;
  };

  it('lets a good one in, again and again', async () => {
    const token = tokenWith({});
    expect([await mine(token), await mine(token)]).toEqual([userId, userId]);
    expect((await problemOf(await call('/api/things/mine'))).code).toBe('token_missing');
  });

  it('refuses expired, foreign, unsigned and symmetric ones', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    expect(await mine(tokenWith({}, { expiresIn: -1 }))).toBe('token_expired');
    expect(await mine(tokenWith({}, { keyid: 'k2' }))).toBe('token_invalid');
    expect(await mine(tokenWith({}, { issuer: 'else' }))).toBe('token_invalid');
    expect(await mine(jwt.sign({ sub: userId, sid: 's' }, other, { algorithm: 'ES256', keyid: 'k1' }))).toBe(
      'token_invalid',
    );
    expect(await mine(jwt.sign({ sub: userId, sid: 's' }, null, { algorithm: 'none', keyid: 'k1' }))).toBe(
      'token_invalid',
    );
    const hmac = `${Buffer.from('{"alg":"HS256","kid":"k1"}').toString('base64url')}.e30.${Buffer.from(pem).toString('base64url')}`;
    expect(await mine(hmac)).toBe('token_invalid');
    expect(await mine('rubbish')).toBe('token_invalid');
    const [header] = tokenWith({}).split('.');
    expect(await mine(`${header}.${Buffer.from('no JSON').toString('base64url')}.AAAA`)).toBe(
      'token_invalid',
    );
  });

  it('stops knowing a token when it expires', async () => {
    const token = tokenWith({}, { expiresIn: 1 });
    expect(await mine(token)).toBe(userId);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await mine(token)).toBe('token_expired');
  });
});

describe('operations', () => {
  it('is ready, degraded or unavailable by what it needs', async () => {
    const state = async () => {
      const answer = await call('/readyz');
      return [answer.status, ((await answer.json()) as { status: string }).status];
    };
    expect(await state()).toEqual([200, 'ready']);
    redisIsUp = false;
    expect(await state()).toEqual([200, 'degraded']);
    postgresIsUp = false;
    expect(await state()).toEqual([503, 'unavailable']);
    redisIsUp = true;
    postgresIsUp = true;
  });

  it('counts by route, never by address', async () => {
    await call(thing);
    const text = await (await call('/metrics')).text();
    expect(text).toMatch(/http_requests_total\{route="\/api\/things\/\{id\}",method="GET",code="200"/);
    expect(text).not.toContain('0190a000');
  });
});

describe('clientIpBehind', () => {
  const ip = clientIpBehind(['10.0.0.0/8', '::1/128']);
  it.each([
    ['203.0.113.5', '1.1.1.1', '203.0.113.5'],
    ['10.0.0.1', '9.9.9.9, 1.1.1.1', '1.1.1.1'],
    ['::ffff:10.0.0.1', '9.9.9.9, 1.1.1.1, 10.2.3.4', '1.1.1.1'],
    ['::1', undefined, '::1'],
    ['10.0.0.1', 'unknown', '10.0.0.1'],
  ])('%s forwarded for %s is %s', (remote, forwarded, expected) => {
    expect(ip(remote, forwarded)).toBe(expected);
  });
});
