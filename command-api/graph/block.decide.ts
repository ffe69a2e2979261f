import type { UserBlocked, UserUnblocked } from '../../schemas/generated/events.ts';
import { type Refusal, refuse } from '../../schemas/problems.ts';
import { mayBlock, mayUnblock } from '../../schemas/visibility/visibility.ts';
import { type CommandContext, envelopeOf } from '../append/decision.ts';
import type { PersonState } from './follow.decide.ts';

/** And since when they are blocked already, milliseconds; null when they are not, as far as the view tells. */
export interface BlockState extends PersonState {
  blockedAt: number | null;
}

/** Blocking again appends again, as decideFollow says, with the time of the first. */
export function decideBlock(
  { person, relation, blockedAt }: BlockState,
  context: CommandContext,
): UserBlocked | Refusal {
  if (!person || !mayBlock(relation, person)) return refuse('user_not_found');
  if (relation === 'owner') return refuse('self_block');
  return {
    type: 'UserBlocked',
    meta: envelopeOf(context),
    blockerId: context.actor,
    blockedId: person.userId,
    blockedAt: blockedAt ?? context.time,
  };
}

export function decideUnblock(
  { person, tie, relation }: PersonState,
  context: CommandContext,
): UserUnblocked | Refusal {
  if (!person || !mayUnblock(relation, person, tie)) return refuse('user_not_found');
  if (relation === 'owner') return refuse('self_block');
  const ends = { blockerId: context.actor, blockedId: person.userId };
  return { type: 'UserUnblocked', meta: envelopeOf(context), ...ends };
}
