import type { Frame } from '../../../schemas/notify/frame.ts';

/** A frame as the reactor makes it; the same for the same person and number. */
export function frameText(userId: string, seq: number): string {
  const frame: Frame = {
    ...{ seq, type: 'post.liked', time: '2026-01-15T12:00:00.000Z' },
    traceId: userId.replaceAll('-', ''),
    data: { postId: userId, likerId: userId },
  };
  return JSON.stringify(frame);
}

/** So many frames for each, the next of everybody before the one after that of anybody. */
export function* framesFor<T extends { userId: string; seq: number }>(
  people: readonly T[],
  each: number,
): Generator<{ userId: string; text: string }> {
  for (let n = 1; n <= each; n += 1)
    for (const { userId, seq } of people) yield { userId, text: frameText(userId, seq + n) };
}
