import type {
  FollowerRemoved,
  FollowRequestCancelled,
  FollowRequested,
  UserFollowed,
  UserUnfollowed,
} from '../../schemas/generated/events.ts';
import { type Refusal, refuse } from '../../schemas/problems.ts';
import {
  maySeeProfile,
  type OwnerFacts,
  type Relation,
  type Tie,
} from '../../schemas/visibility/visibility.ts';
import { type CommandContext, envelopeOf } from '../append/decision.ts';

/** Somebody, null when no such person is known, and what is between them and whoever acts. */
export interface PersonState {
  person: (OwnerFacts & { userId: string }) | null;
  tie: Tie;
  relation: Relation;
}

/**
 * Following again what one follows already appends again: whether it stands can't be proved from a view that may be
 * behind another device of the same person, and the newest of (time, id) decides in the models anyway. It carries the
 * time of the first follow, so that what hangs on it (order of lists, posts since) does not move. To a private account
 * everybody asks, followers too: it takes nothing from a follow that stands, and needs leave where it does no more.
 */
export function decideFollow(
  state: PersonState,
  context: CommandContext,
): UserFollowed | FollowRequested | Refusal {
  const refusal = refusalOf(state);
  if (refusal) return refusal;
  const { person, tie } = state;
  const edge = { meta: envelopeOf(context), followerId: context.actor, followeeId: person!.userId };
  return person!.privateSince === null
    ? { type: 'UserFollowed', ...edge, followedAt: tie.followedAt ?? context.time }
    : { type: 'FollowRequested', ...edge, requestedAt: tie.requestedAt ?? context.time };
}

/** Also takes back a request that waits. */
export function decideUnfollow(
  state: PersonState,
  context: CommandContext,
): UserUnfollowed | FollowRequestCancelled | Refusal {
  const refusal = refusalOf(state);
  if (refusal) return refusal;
  const type = state.relation === 'requested' ? 'FollowRequestCancelled' : 'UserUnfollowed';
  const followeeId = state.person!.userId;
  return { type, meta: envelopeOf(context), followerId: context.actor, followeeId };
}

/** `follower`: how they stand to whoever acts, whose follower they are to be no longer. */
export function decideRemoveFollower(
  follower: PersonState,
  context: CommandContext,
): FollowerRemoved | Refusal {
  const refusal = refusalOf(follower);
  if (refusal) return refusal;
  const followerId = follower.person!.userId;
  return { type: 'FollowerRemoved', meta: envelopeOf(context), followerId, followeeId: context.actor };
}

/** Whoever may not be seen is answered like somebody who does not exist. */
export function refusalOf({ person, relation }: PersonState): Refusal | null {
  if (!person || !maySeeProfile(relation, person)) return refuse('user_not_found');
  return relation === 'owner' ? refuse('self_follow') : null;
}
