import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type ProblemCode, problems } from '../../schemas/problems.ts';
import { startWorld, type World } from '../harness/world.ts';
import { connect, openStage, type Stage } from './stage.ts';

let world: World;
let stage: Stage;

beforeAll(async () => {
  world = await startWorld({
    services: [],
    env: { EMULSION_CORS_ORIGINS: 'https://app.example' },
  });
  stage = await openStage(world, ['stream', 'stream2']);
});
afterAll(async () => {
  stage?.close();
  await world?.stop();
});

describe('a request that is no stream', () => {
  it.each([
    ['GET', '/api/stream', 401, 'token_missing'],
    ['POST', '/api/stream', 405, 'method_not_allowed'],
    ['OPTIONS', '/api/stream', 405, 'method_not_allowed'],
    ['GET', '/ws', 426, 'upgrade_required'],
    ['DELETE', '/ws', 405, 'method_not_allowed'],
    ['GET', '/api/nothing', 404, 'route_not_found'],
  ])('refuses %s %s as %i %s, in a trace', async (method, path, status, code) => {
    const answer = await fetch(`${world.services.stream.url}${path}`, { method });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    if (status === 405) expect(answer.headers.get('allow')).toBe('GET');
    const traceId = answer.headers.get('x-request-id');
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    const { title } = problems[code as ProblemCode];
    expect(await answer.json()).toMatchObject({ type: `/problems/${code}`, title, status, code, traceId });
  });
});

describe('an address that the contract has not', () => {
  it.each([
    ['unknown=1', 'request_invalid'],
    ['types=post.liked&types=post.liked', 'request_invalid'],
    [`token=${'x'.repeat(4_097)}`, 'request_invalid'],
    ['cursor=1e1', 'cursor_invalid'],
    ['types=nothing', 'unknown_filter'],
  ])('is refused for %s, once it is known who asks', async (query, code) => {
    const token = stage.token(randomUUID());
    const ask = async (headers: Record<string, string>) =>
      (await fetch(`${world.services.stream.url}/api/stream?${query}`, { headers })).json();
    expect(await ask({ authorization: `Bearer ${token}` })).toMatchObject({ status: 400, code });
    const stranger = await ask({});
    expect(stranger).toMatchObject({ status: 401 });
    const ws = new WebSocket(`${world.services.stream.url.replace('http', 'ws')}/ws?${query}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const [told] = await once(ws, 'message');
    expect(JSON.parse(String(told))).toMatchObject({ type: 'error', code });
    ws.close();
  });
});

describe('a token that is not ours', () => {
  const user = randomUUID();
  const claims = { sub: user, sid: randomUUID() };
  const forged: [string, (kid: string, publicKey: string) => string][] = [
    ['is signed by another key', (kid) => signed(generateKeyPairSync('ec', curve).privateKey, 'ES256', kid)],
    ['needs no signature', (kid) => signed('', 'none', kid)],
    ['has the public key as its secret', (kid, publicKey) => signed(Buffer.from(publicKey), 'HS256', kid)],
  ];
  const curve = { namedCurve: 'P-256' };
  const signed = (key: jwt.Secret, algorithm: jwt.Algorithm, keyid: string) =>
    jwt.sign(claims, key, { algorithm, keyid, issuer: world.env.PUBLIC_URL, expiresIn: 600 });

  it.each(forged)('opens no stream when it %s', async (_what, forge) => {
    const { rows } = await world.owner.query('SELECT kid, public_jwk FROM vault.signing_key');
    const publicKey = createPublicKey({ key: rows[0].public_jwk, format: 'jwk' });
    const token = forge(rows[0].kid, publicKey.export({ format: 'pem', type: 'spki' }) as string);
    const answer = await fetch(`${world.services.stream.url}/api/stream`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await answer.json()).toMatchObject({ status: 401, code: 'token_invalid' });
    const socket = connect(world.services.stream, { token });
    expect(await socket.closed).toBe(4401);
    expect(socket.got).toMatchObject([{ type: 'error', code: 'token_invalid' }]);
  });
});

describe('a page of another origin', () => {
  const origin = 'https://app.example';

  const ask = (from: string, init: RequestInit = {}) =>
    fetch(`${world.services.stream.url}/api/stream`, {
      ...init,
      headers: { origin: from, ...init.headers },
    });

  it('may read the stream and its refusals when it is one of ours', async () => {
    const refused = await ask(origin);
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, origin]);
    const abort = new AbortController();
    const headers = { authorization: `Bearer ${stage.token(randomUUID())}` };
    const open = await ask(origin, { headers, signal: abort.signal });
    expect([open.status, open.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
    expect(open.headers.get('vary')).toBe('Origin');
    abort.abort();
    const foreign = await ask('https://evil.example');
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('may ask first whether it may send a token', async () => {
    const headers = { 'access-control-request-method': 'GET' };
    const asked = await ask(origin, { method: 'OPTIONS', headers });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    expect(asked.headers.get('access-control-allow-headers')).toMatch(/Authorization.*Last-Event-ID/);
    expect((await ask('https://evil.example', { method: 'OPTIONS', headers })).status).toBe(405);
  });
});

describe('a node that is full', () => {
  it('refuses a socket before it is one, as any other request', async () => {
    const node = world.services.stream2;
    await node.stop();
    await node.start({ EMULSION_STREAM_MAX_SOCKETS: '1' });
    const only = connect(node, { token: stage.token(randomUUID()) });
    await only.hello();
    const refused = await new Promise<IncomingMessage>((resolve, reject) => {
      const ws = new WebSocket(`${node.url.replace('http', 'ws')}/ws`);
      ws.once('unexpected-response', (_, answer) => resolve(answer));
      ws.once('error', reject);
    });
    const document = JSON.parse(Buffer.concat(await refused.toArray()).toString());
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '1']);
    const traceId = refused.headers['x-request-id'];
    expect(document).toMatchObject({
      type: '/problems/server_full',
      code: 'server_full',
      status: 503,
      traceId,
    });
    only.close();
  });
});
