export interface Problem {
  /** Stable: clients decide by it. */
  code: string;
  /** HTTP status of the answer. */
  status: number;
  title: string;
  /** What to do about it, for a person. Never holds a secret or another's data. */
  detail?: string;
  /** Further members of the problem document, such as `errors`. */
  extra?: Record<string, unknown>;
  /** What lies behind it; logged, never sent. */
  cause?: unknown;
}

/** The one error with a stable code; every edge (HTTP, stream, command line) turns it into its own answer. */
export class ProblemError extends Error {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly extra: Record<string, unknown> | undefined;

  constructor(problem: Problem) {
    super(problem.detail ? `${problem.title}: ${problem.detail}` : problem.title, { cause: problem.cause });
    this.name = 'ProblemError';
    this.code = problem.code;
    this.status = problem.status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.extra = problem.extra;
  }
}
