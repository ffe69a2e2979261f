/**
 * An error meant for the person at the keyboard: one sentence on what is wrong, one on what to do.
 * The command line prints it without a stack trace.
 */
export function failure(problem: string, remedy: string, cause?: unknown): Error {
  const error = new Error(`${problem}\n  → ${remedy}`, { cause });
  error.name = 'OperatorError';
  return error;
}

/** Whether the error was made by `failure`, so that its message says all there is to say. */
export function isFailure(error: unknown): error is Error {
  return error instanceof Error && error.name === 'OperatorError';
}
