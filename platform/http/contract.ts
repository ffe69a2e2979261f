import type { z } from 'zod';

/** What this folder needs to know of an endpoint; the rooms' contracts (schemas/route.ts) are of this shape. */
export interface HttpContract {
  name: string;
  method: 'get' | 'post' | 'put' | 'delete';
  /** With OpenAPI's braces; also the label of its metrics and log lines. */
  path: string;
  auth: 'user' | 'optional' | 'none';
  reads: readonly string[];
  idempotencyKey?: 'required' | 'optional';
  /** Bytes. */
  bodyLimit?: number;
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodObject;
  success: { status: number; body?: z.ZodType; contentType?: string };
}

/** Who sent a verified access token. */
export interface Viewer {
  userId: string;
  sessionId: string;
}

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined;
type ViewerOf<Auth> = Auth extends 'user' ? Viewer : Auth extends 'optional' ? Viewer | null : null;
type KeyOf<Rule> = Rule extends 'required' ? string : string | null;

/** One validated request of a contract. `scope` is what the room opened for it, such as the versions it reads. */
export interface Call<C extends HttpContract, Scope = unknown> {
  params: Parsed<C['params']>;
  query: Parsed<C['query']>;
  body: Parsed<C['body']>;
  viewer: ViewerOf<C['auth']>;
  idempotencyKey: KeyOf<C['idempotencyKey']>;
  scope: Scope;
  clientIp: string;
}

/** A 204 has no body; a text body is for contracts whose contentType is not JSON. */
export interface Reply<C extends HttpContract> {
  body?: C['success']['body'] extends z.ZodType ? z.input<C['success']['body']> : string;
  /** Instead of `body` where that is JSON already, put together of parts that are the same for many. */
  json?: Buffer;
  headers?: Record<string, string>;
}

export type Handler<C extends HttpContract, Scope> = (call: Call<C, Scope>) => Promise<Reply<C>>;
