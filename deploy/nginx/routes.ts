import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What nginx needs to know of a route: schemas/routes.ts is the source. */
export type EdgeRoute = { method: string; path: string; service: 'command' | 'query' };

/** GraphQL has one address for queries and subscriptions; writes are REST only, so it is all query-api's. */
const fixed: EdgeRoute[] = [
  { method: 'GET', path: '/graphql', service: 'query' },
  { method: 'POST', path: '/graphql', service: 'query' },
];

/** Every route of the contracts. Loaded when asked for, so that parts come up without the contracts. */
export async function edgeRoutes(repo: string): Promise<EdgeRoute[]> {
  const file = join(repo, 'schemas/routes.ts');
  if (!existsSync(file)) return fixed;
  const { allRoutes } = (await import(pathToFileURL(file).href)) as { allRoutes: readonly EdgeRoute[] };
  return [...allRoutes.map(({ method, path, service }) => ({ method, path, service })), ...fixed];
}

export type MapLine = { key: string; value: string };

/**
 * Lines of nginx's map from "METHOD:uri" to the upstream. Routes without parameters are exact keys, which nginx
 * looks up by hash and prefers; the others are regular expressions, the more literal first.
 */
export function upstreamLines(routes: readonly EdgeRoute[]): MapLine[] {
  const sorted = [...routes].sort((a, b) => literalness(b.path) - literalness(a.path));
  const lines = new Map<string, string>();
  for (const { method, path, service } of sorted) {
    const methods = method.toUpperCase() === 'GET' ? ['GET', 'HEAD'] : [method.toUpperCase()];
    for (const name of [...methods, 'OPTIONS']) {
      const key = routeKey(`${name}:`, path);
      if (!lines.has(key)) lines.set(key, service);
    }
  }
  return [...lines].map(([key, value]) => ({ key, value }));
}

/** Lines of the map from uri to the methods that an address takes, as the header Allow names them. */
export function knownLines(routes: readonly EdgeRoute[]): MapLine[] {
  const byKey = Map.groupBy(routes, ({ path }) => routeKey('', path));
  return [...byKey].map(([key, some]) => {
    const methods = some.map(({ method }) => method.toUpperCase());
    const all = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
    return { key, value: `"${all.join(', ')}"` };
  });
}

/** Lines of the map from uri to the route as its contract writes it, and to the other addresses that nginx serves. */
export function routeLines(routes: readonly EdgeRoute[]): MapLine[] {
  const paths = [...new Set([...routes.map(({ path }) => path), '/ws'])];
  paths.sort((a, b) => literalness(b) - literalness(a));
  const lines = paths.map((path) => ({ key: routeKey('', path), value: `"${path}"` }));
  return [...lines, { key: '"~^/m/"', value: '"/m/{object}"' }];
}

function routeKey(prefix: string, path: string): string {
  if (!path.includes('{')) return `"${prefix}${path}"`;
  const pattern = path
    .split(/\{[^}]+\}/)
    .map((text) => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&'))
    .join('[^/]+');
  return `"~^${prefix}${pattern}$"`;
}

/** A literal segment weighs more the further left it stands. */
function literalness(path: string): number {
  const segments = path.split('/').slice(1);
  return segments.reduce((sum, segment, i) => sum + (segment.includes('{') ? 0 : 2 ** (12 - i)), 0);
}
