import type { UserFollowed, UserUnfollowed } from '../../schemas/generated/events.ts';
import { type Refusal, refuse } from '../../schemas/problems.ts';
import { maySeeProfile, relationOf } from '../../schemas/visibility/visibility.ts';
import { type CommandContext, envelopeOf } from '../append/decision.ts';

/** Who is to be followed; null when no such person is known. */
export interface FollowState {
  followee: { userId: string; live: boolean } | null;
}

/** And since when it is followed already, milliseconds; null when it is not, as far as the view tells. */
export interface Standing extends FollowState {
  followedAt: number | null;
}

/**
 * Following again what one follows already appends again: whether it stands can't be proved from a view that may be
 * behind another device of the same person, and the newest of (time, id) decides in the models anyway. It carries the
 * time of the first follow, so that what hangs on it (order of lists, posts since) does not move.
 */
export function decideFollow(state: Standing, context: CommandContext): UserFollowed | Refusal {
  const refusal = refusalOf(state, context);
  if (refusal) return refusal;
  return {
    type: 'UserFollowed',
    meta: envelopeOf(context),
    followerId: context.actor,
    followeeId: state.followee!.userId,
    followedAt: state.followedAt ?? context.time,
  };
}

/** Whoever may no longer be seen can still be unfollowed: leaving needs nobody's leave. */
export function decideUnfollow(state: FollowState, context: CommandContext): UserUnfollowed | Refusal {
  const { followee } = state;
  if (!followee) return refuse('user_not_found');
  if (followee.userId === context.actor) return refuse('self_follow');
  return {
    type: 'UserUnfollowed',
    meta: envelopeOf(context),
    followerId: context.actor,
    followeeId: followee.userId,
  };
}

function refusalOf({ followee }: FollowState, { actor }: CommandContext): Refusal | null {
  if (!followee) return refuse('user_not_found');
  if (!maySeeProfile(relationOf(actor, followee.userId, false), followee)) return refuse('user_not_found');
  if (followee.userId === actor) return refuse('self_follow');
  return null;
}
