import Router from '@koa/router';
import type { Context, Next } from 'koa';
import type { BoundRoute } from './bind.ts';
import { httpProblem } from './problems.ts';

/** An address and a method that exist somewhere in the product, here or in another process. */
export interface KnownRoute {
  method: string;
  path: string;
}

/**
 * Serves the bound routes; those with fewer parameters first, so that /users/me is nobody's username. What is another
 * route's address to the letter is not served as a parameter either: that route may take other methods.
 */
export function serveRoutes(routes: readonly BoundRoute[], known: readonly KnownRoute[]) {
  const literal = new Set(known.map(({ path }) => path).filter((path) => !path.includes('{')));
  const router = new Router();
  const parameters = (route: BoundRoute): number => route.contract.path.split('{').length;
  for (const bound of [...routes].sort((a, b) => parameters(a) - parameters(b))) {
    const { method, path } = bound.contract;
    router.register(path.replaceAll(/\{(\w+)\}/g, ':$1'), [method], async (ctx, next) => {
      if (ctx.path !== path && literal.has(ctx.path)) return next();
      ctx.state.route = path;
      await bound.serve(ctx);
    });
  }
  return router.routes();
}

/** What nothing served: 405 with Allow where the address exists with another method, else 404. */
export function refuseUnknown(known: readonly KnownRoute[]) {
  const patterns = known.map(({ method, path }) => ({
    method: method.toUpperCase(),
    pattern: patternOf(path),
    parameters: path.split('{').length,
  }));
  return async (ctx: Context, _next: Next): Promise<void> => {
    const fitting = patterns.filter(({ pattern }) => pattern.test(ctx.path));
    const fewest = Math.min(...fitting.map(({ parameters }) => parameters));
    const methods = fitting.filter(({ parameters }) => parameters === fewest).map(({ method }) => method);
    if (methods.length === 0 || methods.includes(ctx.method)) throw httpProblem('route_not_found');
    const allow = new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods);
    ctx.set('Allow', [...allow].join(', '));
    throw httpProblem('method_not_allowed', { detail: `It takes ${[...allow].join(', ')}.` });
  };
}

function patternOf(path: string): RegExp {
  const literal = path.split(/\{\w+\}/).map((text) => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('[^/]+')}$`);
}
