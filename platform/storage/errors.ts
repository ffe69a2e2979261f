import { ProblemError } from '../errors/problem.ts';

interface SdkError {
  name?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number };
}

/** Whether the store answered that there is no such object; a missing bucket is no such answer. */
export function isMissing(error: unknown): boolean {
  const { name, $metadata } = error as SdkError;
  if (name === 'NoSuchBucket') return false;
  return name === 'NoSuchKey' || name === 'NotFound' || $metadata?.httpStatusCode === 404;
}

/** The store's answer about one object alone: it takes part in all else, and will not do this. */
export class ObjectRefused extends Error {
  override name = 'ObjectRefused';
}

/** Whether what was made `unavailable` concerns one object: whoever has others to do may go on with them. */
export function isRefused(error: unknown): boolean {
  return error instanceof ProblemError && (error.cause as Error | undefined)?.cause instanceof ObjectRefused;
}

/** Everything else that goes wrong with the store is an outage to us: retried or told, never taken for an answer. */
export function unavailable(what: string, key: string, error: unknown): ProblemError {
  const { name, message, $metadata } = error as SdkError;
  const status = $metadata?.httpStatusCode ? ` (${$metadata.httpStatusCode})` : '';
  return new ProblemError({
    code: 'dependency_unavailable',
    status: 503,
    title: 'A part this needs does not answer; try again',
    detail: 'The object store did not do its part.',
    cause: new Error(`${what} ${key}: ${name}${status} ${message}`, { cause: error }),
  });
}
