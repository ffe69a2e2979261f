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
