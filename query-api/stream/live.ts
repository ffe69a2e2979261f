import { setTimeout as sleep } from 'node:timers/promises';
import type { JudgedFrame } from './session.ts';
import type { ToldFrame } from './still-shows.ts';

export interface LiveParts {
  /** Answers in the order of what it is given. */
  judge(told: readonly ToldFrame[]): Promise<JudgedFrame[]>;
  /** All of one reader's that were looked at together, in their order. */
  judged(userId: string, frames: readonly JudgedFrame[]): void;
  /** Could not be looked at: history has it, and looks for itself. */
  unjudged(userId: string, seq: number): void;
}

/** Frames looked at together; several of one reader leave in one write, which costs more than all else. */
const maxTogether = 50_000;
/** With as many the next look begins not before so many milliseconds: it then has more of each reader. */
const many = 1_000;
const paceMs = 200;
/** Frames that wait for it: a burst of five for each of 20,000 sockets, some 50 MB. */
const maxWaiting = 100_000;

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
    while (waiting.length > 0) {
      const told = waiting.splice(0, maxTogether);
      const began = performance.now();
      await lookAt(told);
      if (told.length >= many) await sleep(Math.max(0, paceMs - (performance.now() - began)));
    }
    working = false;
  };
  const lookAt = async (told: ToldFrame[]): Promise<void> => {
    const frames = await judge(told).catch(() => null);
    if (frames) for (const [viewerId, own] of byViewer(told, frames)) judged(viewerId, own);
    else for (const { viewerId, frame } of told) unjudged(viewerId, frame.seq);
  };
  return (viewerId, frame) => {
    if (waiting.length >= maxWaiting) return unjudged(viewerId, frame.seq);
    waiting.push({ viewerId, frame });
    if (!working) void work();
  };
}

function byViewer(
  told: readonly ToldFrame[],
  frames: readonly JudgedFrame[],
): ReadonlyMap<string, JudgedFrame[]> {
  const own = new Map<string, JudgedFrame[]>();
  told.forEach(({ viewerId }, n) => {
    const theirs = own.get(viewerId);
    if (theirs) theirs.push(frames[n]!);
    else own.set(viewerId, [frames[n]!]);
  });
  return own;
}
