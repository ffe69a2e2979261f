import type { PositionToken } from '../../platform/log/position.ts';

/** Gives event times; see openClock. */
export interface Clock {
  /** Milliseconds, later than all that the caller has seen. `newestSeen`: the newest event time in the state read. */
  timeAfter(position: PositionToken | null, newestSeen: number): number;
}

/**
 * Event time = max(clock, newest event time in the caller's token and in the state read, + 1 ms), so that a later act
 * never loses to an earlier one by clock skew (DESIGN §3). This process's clock is never set back either.
 */
export function openClock(now: () => number): Clock {
  let newest = 0;
  return {
    timeAfter(position, newestSeen) {
      newest = Math.max(newest, now());
      return Math.max(newest, (position?.time ?? 0) + 1, newestSeen + 1);
    },
  };
}
