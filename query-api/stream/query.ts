import { parse } from 'node:querystring';
import type { ProblemError } from '../../platform/errors/problem.ts';
import { validate } from '../../platform/http/validate.ts';
import { openStream } from '../../schemas/notify/stream.http.ts';

/** What is wrong with a query by the contract: told once it is known who asks, as of every route. */
export function queryFault(query: string): ProblemError | null {
  try {
    validate([['query', openStream.query, parse(query)]]);
    return null;
  } catch (error) {
    return error as ProblemError;
  }
}
