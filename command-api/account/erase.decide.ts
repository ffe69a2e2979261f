import type { UserErased } from '../../schemas/generated/events.ts';
import { type CommandContext, envelopeOf } from '../append/decision.ts';

/** Whoever has given their password may go, whatever stands. */
export function decideErase(context: CommandContext): UserErased {
  return { type: 'UserErased', meta: envelopeOf(context), userId: context.actor };
}
