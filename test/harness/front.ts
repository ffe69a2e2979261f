import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { problems } from '../../schemas/problems.ts';
import { allRoutes } from '../../schemas/routes.ts';
import type { World } from './world.ts';

/** One address for a world whose services have a port each, as nginx gives to a stack. */
export async function openFront(world: World): Promise<{ url: string; close(): void }> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const server = http.createServer({ maxHeaderSize: 128 * 1024 }, (request, response) => {
    if ((request.url ?? '').length > longestAddress) {
      refuseAddress(response);
      return;
    }
    const target = targetOf(world, request.method ?? 'GET', request.url ?? '/');
    const options = { method: request.method, headers: request.headers, agent };
    const passed = http.request(new URL(request.url ?? '/', target), options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  });
  server.on('upgrade', (request, socket) => {
    const { hostname, port } = new URL(world.services.stream.url);
    const upstream = net.connect(Number(port), hostname, () => {
      const lines = request.rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
      upstream.write(`GET ${request.url} HTTP/1.1\r\n${lines}\r\n`);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Bytes; as nginx has it, and as it answers. */
const longestAddress = 8 * 1024;

function refuseAddress(response: http.ServerResponse): void {
  const code = 'request_invalid';
  const { status, title } = problems[code];
  const document = { type: `/problems/${code}`, title, status, code, traceId: '0'.repeat(32) };
  response.writeHead(status, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify(document));
}

function targetOf(world: World, method: string, url: string): string {
  const path = url.split('?')[0]!;
  const fits = allRoutes.find(
    (route) =>
      route.method === method.toLowerCase() &&
      new RegExp(`^${route.path.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path),
  );
  if (path === '/api/stream') return world.services.stream.url;
  return world.services[fits?.service === 'command' ? 'command-api' : 'query-api'].url;
}
