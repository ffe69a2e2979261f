import type { JudgedFrame } from './session.ts';
import type { ToldFrame } from './still-shows.ts';

export interface LiveParts {
  /** Answers in the order of what it is given. */
  judge(told: readonly ToldFrame[]): Promise<JudgedFrame[]>;
  judged(userId: string, frame: JudgedFrame): void;
  /** Could not be looked at: history has it, and looks for itself. */
  unjudged(userId: string, seq: number): void;
}

/** Frames looked at together. */
const maxTogether = 2_000;
/** Frames that wait for it. */
const maxWaiting = 20_000;

/**
 * Takes frames that have just come, and passes them on in their order once it is known whether they show. What comes
 * while some are looked at is looked at together: the more comes, the less each costs.
 */
export function openLive({
  judge,
  judged,
  unjudged,
}: LiveParts): (userId: string, frame: JudgedFrame) => void {
  const waiting: ToldFrame[] = [];
  let working = false;

  const work = async (): Promise<void> => {
    working = true;
    // All that the same message of Redis brought.
    await new Promise(setImmediate);
    while (waiting.length > 0) await lookAt(waiting.splice(0, maxTogether));
    working = false;
  };
  const lookAt = async (told: ToldFrame[]): Promise<void> => {
    const frames = await judge(told).catch(() => null);
    told.forEach(({ viewerId, frame }, n) => {
      if (frames) judged(viewerId, frames[n]!);
      else unjudged(viewerId, frame.seq);
    });
  };
  return (viewerId, frame) => {
    if (waiting.length >= maxWaiting) return unjudged(viewerId, frame.seq);
    waiting.push({ viewerId, frame });
    if (!working) void work();
  };
}
