import type { Context } from 'koa';
import type { VerifyToken } from './access-token.ts';
import { readJson } from './body.ts';
import type { Call, Handler, HttpContract, Reply, Viewer } from './contract.ts';
import { httpProblem } from './problems.ts';
import { validate } from './validate.ts';

/** What a request brings before anything of the room has run. */
export interface Opening {
  viewer: Viewer | null;
  header(name: string): string;
}

/** What a room adds to every one of its requests. */
export interface RoomHooks<Scope> {
  verify: VerifyToken;
  /** Runs once per request, after validation: waits for positions, takes the snapshot that all of it reads. */
  open(contract: HttpContract, opening: Opening): Promise<Scope>;
  /** Headers of the answer that follow from what was opened, such as X-As-Of. */
  headers?(contract: HttpContract, scope: Scope): Record<string, string>;
}

/** A contract with what serves it, ready for createHttpServer. */
export interface BoundRoute {
  contract: HttpContract;
  serve(ctx: Context): Promise<void>;
}

/** Makes the one way by which a room binds a function to a contract: what reaches it is verified and validated. */
export function createBinder<Scope>(hooks: RoomHooks<Scope>) {
  return function handle<const C extends HttpContract>(contract: C, handler: Handler<C, Scope>): BoundRoute {
    return {
      contract,
      async serve(ctx) {
        const viewer = await viewerOf(contract, ctx, hooks.verify);
        const raw = contract.body ? await readJson(ctx.req, contract.bodyLimit) : undefined;
        const [params, query, body] = validate([
          ['path', contract.params, ctx.params],
          ['query', contract.query, ctx.query],
          ['body', contract.body, raw],
        ]);
        const idempotencyKey = idempotencyKeyOf(contract, ctx);
        const header = (name: string): string => ctx.get(name);
        const scope = await hooks.open(contract, { viewer, header });
        const { clientIp } = ctx.state;
        const call = { params, query, body, viewer, idempotencyKey, scope, clientIp } as Call<C, Scope>;
        const reply = await handler(call);
        ctx.set(hooks.headers?.(contract, scope) ?? {});
        answer(ctx, contract, reply);
      },
    };
  };
}

async function viewerOf(contract: HttpContract, ctx: Context, verify: VerifyToken): Promise<Viewer | null> {
  if (contract.auth === 'none') return null;
  const authorization = ctx.get('authorization');
  if (authorization === '') {
    if (contract.auth === 'optional') return null;
    throw httpProblem('token_missing', { detail: 'Send Authorization: Bearer <access token>.' });
  }
  const token = authorization.match(/^Bearer ([\w.~+/=-]+)$/i)?.[1];
  if (!token) throw httpProblem('token_invalid', { detail: 'Send Authorization: Bearer <access token>.' });
  const viewer = await verify(token);
  ctx.state.userId = viewer.userId;
  return viewer;
}

function idempotencyKeyOf(contract: HttpContract, ctx: Context): string | null {
  if (!contract.idempotencyKey) return null;
  const key = ctx.get('idempotency-key');
  if (key === '' && contract.idempotencyKey === 'optional') return null;
  if (key === '') throw httpProblem('idempotency_key_missing', { detail: 'A UUID of your own will do.' });
  if (!/^[\x21-\x7e]{1,200}$/.test(key))
    throw httpProblem('request_invalid', { detail: 'Idempotency-Key: 1 to 200 visible ASCII characters.' });
  return key;
}

function answer(ctx: Context, contract: HttpContract, reply: Reply<HttpContract>): void {
  const { status, contentType } = contract.success;
  ctx.status = status;
  ctx.set('Cache-Control', cacheControl(contract));
  if (contract.auth !== 'none') ctx.vary('Authorization');
  if (reply.headers) ctx.set(reply.headers);
  if (status === 204) return;
  ctx.body = contentType ? reply.body : (reply.json ?? JSON.stringify(reply.body));
  ctx.type = contentType ?? 'application/json';
}

/** Nobody else may keep what a viewer saw, and the viewer asks again each time (with an ETag). */
function cacheControl(contract: HttpContract): string {
  if (contract.method !== 'get') return 'no-store';
  return contract.auth === 'none' ? 'public, max-age=300' : 'private, no-cache';
}
