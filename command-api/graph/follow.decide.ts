import type { UserFollowed, UserUnfollowed } from '../../schemas/generated/events.ts';
import { type Refusal, refuse } from '../../schemas/problems.ts';
import { maySeeProfile, relationOf } from '../../schemas/visibility/visibility.ts';
import { type CommandContext, envelopeOf } from '../append/decision.ts';

/** Who is to be followed; null when no such person is known. */
export interface FollowState {
  followee: { userId: string; live: boolean } | null;
}

/**
 * Following again what one follows already appends again: whether it stands can't be proved from a view that may be
 * behind another device of the same person, and the newest of (time, id) decides in the models anyway.
 */
export function decideFollow(state: FollowState, context: CommandContext): UserFollowed | Refusal {
  const refusal = refusalOf(state, context);
  if (refusal) return refusal;
  return {
    type: 'UserFollowed',
    meta: envelopeOf(context),
    followerId: context.actor,
    followeeId: state.followee!.userId,
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
