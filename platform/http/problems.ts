import { type Problem, ProblemError } from '../errors/problem.ts';

/** The refusals that HTTP itself has. schemas/problems.ts documents them to clients; a test holds both equal. */
export const httpProblems = {
  request_invalid: { status: 400, title: 'The request does not have the documented shape' },
  body_not_json: { status: 400, title: 'The body is not valid JSON' },
  idempotency_key_missing: { status: 400, title: 'This request needs an Idempotency-Key' },
  token_missing: { status: 401, title: 'An access token is needed' },
  token_invalid: { status: 401, title: 'The access token is not valid' },
  token_expired: { status: 401, title: 'The access token has expired' },
  route_not_found: { status: 404, title: 'There is nothing at this address' },
  method_not_allowed: { status: 405, title: 'This address does not take that method' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  body_too_large: { status: 413, title: 'The body is over the limit of this route' },
  content_type_unsupported: { status: 415, title: 'The body must be application/json' },
  headers_too_large: { status: 431, title: 'The headers are over the limit' },
  internal_error: { status: 500, title: 'Something is wrong on our side' },
  dependency_unavailable: { status: 503, title: 'A part this needs does not answer; try again' },
} as const;

export type HttpProblemCode = keyof typeof httpProblems;

export function httpProblem(code: HttpProblemCode, more: Pick<Problem, 'detail' | 'extra' | 'cause'> = {}) {
  return new ProblemError({ code, ...httpProblems[code], ...more });
}

/** What the client is told of any error: our own as they are, outages as 503, everything else as 500 without a word. */
export function problemFrom(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  return httpProblem(isOutage(error) ? 'dependency_unavailable' : 'internal_error', { cause: error });
}

/** RFC 9457. */
export function problemDocument(problem: ProblemError, traceId: string | undefined): Record<string, unknown> {
  return {
    type: `/problems/${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.detail,
    code: problem.code,
    traceId,
    ...problem.extra,
  };
}

const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN']);

/** Connection failures, and the SQLSTATEs of a database that goes down, is full of connections or too slow. */
const outageStates = /^(08...|57P0[1-5]|57014|53...)$/;

/** pg says these without a code. */
const poolMessages =
  /timeout exceeded when trying to connect|Connection terminated|not queryable|Query read timeout/;

function isOutage(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && (networkCodes.has(code) || outageStates.test(code))) return true;
  return typeof message === 'string' && poolMessages.test(message);
}
