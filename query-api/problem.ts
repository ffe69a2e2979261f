import { ProblemError } from '../platform/errors/problem.ts';
import { type ProblemCode, problems } from '../schemas/problems.ts';

/** The error of a code that schemas/problems.ts lists; `detail` says what to do. */
export function problem(code: ProblemCode, detail?: string): ProblemError {
  return new ProblemError({ code, ...problems[code], detail });
}
