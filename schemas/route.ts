import type { z } from 'zod';
import type { ProblemCode } from './problems.ts';

/** Models that a read or a command's checks may depend on; a position token makes the answer wait for them. */
export type ModelName = 'accounts' | 'graph' | 'posts' | 'likes' | 'media' | 'timelines';

/**
 * One HTTP endpoint, whole: the same object validates requests, makes the OpenAPI document and fills nginx's table.
 * Paths use OpenAPI's braces. `auth: 'optional'` answers strangers too; `reads` names the models waited for.
 */
export interface RouteContract {
  name: string;
  method: 'get' | 'post' | 'put' | 'delete';
  path: string;
  service: 'command' | 'query' | 'stream';
  tag: 'account' | 'graph' | 'content' | 'media' | 'notify' | 'system';
  summary: string;
  auth: 'user' | 'optional' | 'none';
  reads: readonly ModelName[];
  /** Writes only: 'required' for creates (DESIGN §2 rule 7). */
  idempotencyKey?: 'required' | 'optional';
  /** Bytes; 32 KiB unless said. */
  bodyLimit?: number;
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodObject;
  success: {
    status: 200 | 201 | 202 | 204;
    body?: z.ZodType;
    description: string;
    /** application/json unless said; the body of an event stream is the data of one event. */
    contentType?: 'text/event-stream' | 'text/html';
  };
  /** What it can refuse with, beyond the codes that every route of its kind has. */
  problems: readonly ProblemCode[];
}

/** Declares an endpoint, keeping the exact types of its parts for the handler. */
export function route<const R extends RouteContract>(contract: R): R {
  return contract;
}
