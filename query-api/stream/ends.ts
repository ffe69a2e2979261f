import { ProblemError } from '../../platform/errors/problem.ts';
import { type StreamEnd, streamEnds } from '../../schemas/notify/frame.ts';

/** Why a stream can't go on, as the one error type. */
export function streamProblem(code: StreamEnd, detail: string, cause?: unknown): ProblemError {
  const { status, title } = streamEnds[code];
  return new ProblemError({ code, status, title, detail, cause });
}

/** The end that an error means. What is no problem of ours is a part that does not answer. */
export function endOf(error: unknown): { code: StreamEnd; detail: string } {
  if (error instanceof ProblemError && Object.hasOwn(streamEnds, error.code)) {
    return { code: error.code as StreamEnd, detail: error.detail ?? error.title };
  }
  return { code: 'dependency_unavailable', detail: 'Connect again with your cursor in a moment' };
}
