import type { ProblemError } from '../../platform/errors/problem.ts';
import { isFrameType } from '../../schemas/notify/frame.ts';
import { streamProblem } from './ends.ts';
import type { Bounds } from './history.ts';

/** What a client asks for when it opens a stream, as it came. */
export interface Opening {
  token: string | null;
  /** The last seq seen. null: from now on. */
  cursor: string | null;
  /** Frame types, separated by commas. null: all. */
  types: string | null;
  /** What is wrong with the rest of its address. */
  fault: ProblemError | null;
}

/** The filter. Throws unknown_filter. */
export function filterOf(types: string | null): ReadonlySet<string> | null {
  if (types === null || types === '') return null;
  const names = types.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !isFrameType(name));
  if (unknown !== undefined)
    throw streamProblem('unknown_filter', `"${unknown.slice(0, 40)}" is no frame type`);
  return new Set(names);
}

/** The cursor's number. Throws cursor_invalid. */
export function cursorOf(text: string | null): number | null {
  if (text === null || text === '') return null;
  if (!/^\d{1,15}$/.test(text)) throw streamProblem('cursor_invalid', 'A cursor is the seq of a frame');
  return Number(text);
}

/**
 * The seq after which the stream begins: the head without a cursor; before the cursor's own frame with one, since a
 * cursor is inclusive and delivery at-least-once (DESIGN §8). Throws cursor_invalid or cursor_too_old.
 */
export function startingPoint(cursor: number | null, { head, oldest }: Bounds): number {
  if (cursor === null) return head;
  if (cursor > head) throw streamProblem('cursor_invalid', `The newest frame is ${head}`);
  if (cursor + 1 < oldest) {
    throw streamProblem('cursor_too_old', `The oldest frame kept is ${oldest}; connect without a cursor`);
  }
  return Math.max(cursor - 1, oldest - 1);
}
