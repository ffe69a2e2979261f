import { ProblemError } from '../../platform/errors/problem.ts';
import { type ProblemCode, problems, type Refusal } from '../../schemas/problems.ts';

/** The error of a code that schemas/problems.ts lists; `detail` says what to do. */
export function problem(code: ProblemCode, detail?: string, cause?: unknown): ProblemError {
  return new ProblemError({ code, ...problems[code], detail, cause });
}

/** A decider's refusal as the error that the edge answers with. */
export function problemOf(refusal: Refusal): ProblemError {
  return problem(refusal.refused, refusal.detail);
}
