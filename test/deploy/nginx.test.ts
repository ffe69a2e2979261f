import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { resolvePorts } from '../../deploy/native/ports.ts';
import { nginxConf } from '../../deploy/nginx/nginx.conf.ts';
import { type EdgeRoute, type MapLine, upstreamLines } from '../../deploy/nginx/routes.ts';

const routes: EdgeRoute[] = [
  { method: 'get', path: '/api/users/{username}', service: 'query' },
  { method: 'get', path: '/api/users/me', service: 'command' },
  { method: 'get', path: '/api/users/{username}/posts', service: 'query' },
  { method: 'put', path: '/api/posts/{id}/like', service: 'command' },
];

/** As nginx's map does it: exact keys first, then the regular expressions in their order. */
function upstreamOf(lines: MapLine[], asked: string): string {
  const exact = lines.find(({ key }) => key === `"${asked}"`);
  const pattern = lines.find(({ key }) => key.startsWith('"~') && new RegExp(key.slice(2, -1)).test(asked));
  return (exact ?? pattern)?.value ?? '';
}

describe('the table of nginx', () => {
  const lines = upstreamLines(routes);
  test.each([
    ['GET:/api/users/ada', 'query'],
    ['HEAD:/api/users/ada', 'query'],
    ['GET:/api/users/me', 'command'],
    ['GET:/api/users/ada/posts', 'query'],
    ['PUT:/api/posts/1/like', 'command'],
    ['OPTIONS:/api/posts/1/like', 'command'],
    ['DELETE:/api/posts/1/like', ''],
    ['GET:/api/users/ada/posts/more', ''],
    ['GET:/api/users/', ''],
  ])('%s goes to "%s"', (asked, upstream) => {
    expect(upstreamOf(lines, asked)).toBe(upstream);
  });

  test('no log format holds the address, where names and tokens stand', () => {
    const conf = nginxConf({
      ports: resolvePorts({}),
      routes,
      folder: '/f',
      accessLog: '/l',
      bucket: 'emulsion',
    });
    expect(conf).not.toMatch(/\$request[^_]|\$request_uri|\$args|\$http_referer/);
    expect(conf.match(/log_format[^;]*/)![0]).not.toContain('$uri');
    expect(conf).toContain('"~^/api/users/[^/]+/posts$" "/api/users/{username}/posts";');
    expect(conf).toContain('error_log stderr emerg;');
  });
});

describe.skipIf(!process.env.PUBLIC_URL)('nginx as it runs', () => {
  const ask = (path: string, init?: RequestInit) => fetch(`${process.env.PUBLIC_URL}${path}`, init);

  test('is healthy by itself', async () => {
    expect((await ask('/healthz')).status).toBe(200);
  });

  test('answers an unknown address with a problem document', async () => {
    const response = await ask('/api/nothing-of-ours');
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const traceId = expect.stringMatching(/^[0-9a-f]{32}$/);
    expect(await response.json()).toMatchObject({ status: 404, code: 'route_not_found', traceId });
  });

  test('goes on in the trace of whoever asks, in what it refuses and in what it passes on', async () => {
    const traceId = randomBytes(16).toString('hex');
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    expect(await (await ask('/api/nothing-of-ours', { headers })).json()).toMatchObject({ traceId });
    const odd = await ask('/api/nothing-of-ours', { headers: { traceparent: '"}' } });
    expect(await odd.json()).toMatchObject({ code: 'route_not_found' });
  });

  test('refuses a method that the address does not take', async () => {
    const response = await ask('/graphql', { method: 'DELETE' });
    expect(response.headers.get('allow')).toBe('GET, POST, HEAD');
    expect(await response.json()).toMatchObject({ status: 405, code: 'method_not_allowed' });
  });

  test('refuses a body over the limit before any service sees it', async () => {
    const response = await ask('/graphql', { method: 'POST', body: 'x'.repeat(1_100_000) });
    expect(await response.json()).toMatchObject({ status: 413, code: 'body_too_large' });
  });

  test.each(['/m/nothing', '/m/../o/secret', '/m/%2e%2e/o/secret'])('shows no object at %s', async (path) => {
    expect((await ask(path)).status).toBe(404);
  });

  test('passes no line feed on to the object store', async () => {
    expect((await ask('/m/nothing%0a')).status).toBe(404);
  });

  test.each([
    ['an address above the root', 'GET /m/..%2f..%2fo HTTP/1.1', 400, 'request_invalid'],
    ['no request at all', 'NONSENSE', 400, 'request_invalid'],
    ['an endless address', `GET /${'x'.repeat(9_000)} HTTP/1.1`, 400, 'request_invalid'],
    ['an endless header', `GET / HTTP/1.1\r\nX: ${'x'.repeat(9_000)}`, 431, 'headers_too_large'],
  ])('answers %s with a problem document', async (_, line, status, code) => {
    const { hostname, port } = new URL(process.env.PUBLIC_URL!);
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.write(`${line}\r\nHost: x\r\n\r\n`));
      socket.once('data', (data) => resolve(data.toString()));
    });
    expect(answer).toContain(`HTTP/1.1 ${status}`);
    expect(answer).toContain(`"code":"${code}"`);
  });

  test('takes no writes of objects', async () => {
    expect((await ask('/m/a', { method: 'PUT', body: 'x' })).status).toBe(405);
  });
});
