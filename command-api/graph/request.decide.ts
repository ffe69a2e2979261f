import type { FollowRequestApproved, FollowRequestDeclined } from '../../schemas/generated/events.ts';
import { type Refusal, refuse } from '../../schemas/problems.ts';
import { maySeeProfile } from '../../schemas/visibility/visibility.ts';
import { type CommandContext, envelopeOf, type Unchanged, unchanged } from '../append/decision.ts';
import { type PersonState, refusalOf } from './follow.decide.ts';

/**
 * Nobody is made a follower who does not ask, so who follows already is not approved again: they may have left on
 * another device. How the person stands to whoever acts is `relation`.
 */
export function decideApprove(
  { person, tie, relation }: PersonState,
  context: CommandContext,
): FollowRequestApproved | Refusal | Unchanged {
  if (!person || !maySeeProfile(relation, person)) return refuse('user_not_found');
  if (relation === 'follower') return unchanged;
  if (tie.requestedAt === null) return refuse('follow_request_not_found');
  const ends = { followerId: person.userId, followeeId: context.actor };
  return { type: 'FollowRequestApproved', meta: envelopeOf(context), ...ends };
}

/** Declining what nobody asks for changes nothing. */
export function decideDecline(
  requester: PersonState,
  context: CommandContext,
): FollowRequestDeclined | Refusal {
  const refusal = refusalOf(requester);
  if (refusal) return refusal;
  const ends = { followerId: requester.person!.userId, followeeId: context.actor };
  return { type: 'FollowRequestDeclined', meta: envelopeOf(context), ...ends };
}
