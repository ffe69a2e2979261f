import type { Queryable } from '../../platform/postgres/pool.ts';
import { erasedAmong } from '../../platform/vault/erasures.ts';
import { lockHeads, type NumberedFrame } from './stream.entries.ts';
import type { AddressedFrame } from './stream.model.ts';

/** Frames of which neither who gets them nor who they are about was erased. */
export async function ofThoseWhoAre(
  client: Queryable,
  frames: readonly AddressedFrame[],
): Promise<readonly AddressedFrame[]> {
  const erased = await erasedAmong(client, frames.flatMap(peopleOf));
  if (erased.size === 0) return frames;
  return frames.filter((frame) => !peopleOf(frame).some((userId) => erased.has(userId)));
}

function peopleOf({ userId, payload: { data } }: AddressedFrame): string[] {
  if ('likerId' in data) return [userId, data.likerId];
  if ('followerId' in data) return [userId, data.followerId];
  if ('followeeId' in data) return [userId, data.followeeId];
  return 'authorId' in data ? [userId, data.authorId] : [userId];
}

/**
 * Takes back what was kept for somebody whose erasure came in between: from here on whoever forgets them waits for this
 * transaction, which holds their heads.
 */
export async function takeBackFromErased(
  client: Queryable,
  kept: readonly NumberedFrame[],
): Promise<NumberedFrame[]> {
  const erased = await erasedAmong(
    client,
    kept.map(({ userId }) => userId),
  );
  await forgetFrames(client, [...erased]);
  return kept.filter(({ userId }) => !erased.has(userId));
}

/**
 * Deletes what these people were told (in Redis: stream.sweep.ts). What others were told of them stays under its number, an id and nothing more, and
 * is not shown again (query-api/stream/still-shows.ts).
 */
export async function forgetFrames(client: Queryable, userIds: readonly string[]): Promise<void> {
  if (userIds.length === 0) return;
  // Whoever numbers frames of theirs just now is waited for, so that all that was kept is seen by the next lines.
  await lockHeads(client, userIds);
  await client.query('DELETE FROM stream.head WHERE user_id = ANY($1::uuid[])', [userIds]);
  await client.query('DELETE FROM stream.entry WHERE user_id = ANY($1::uuid[])', [userIds]);
}
