import type { ProfileEdited, UserRegistered } from '../../schemas/generated/events.ts';
import { type Refusal, refuse } from '../../schemas/problems.ts';
import { type CommandContext, envelopeOf } from '../append/decision.ts';
import { type MediaFacts, refusalForUse } from '../media/media.decide.ts';

/** Years somebody must have lived (F-ID1). */
const minimumAge = 13;

export interface RegisterCommand {
  username: string;
  email: string;
  fullName: string;
  /** YYYY-MM-DD */
  dateOfBirth: string;
  gender: string | null;
}

/** User ids of whoever holds the two names; null when they are free. */
export interface RegisterState {
  usernameHolder: string | null;
  emailHolder: string | null;
}

/** A name that this very registration holds already (a repeat of it) is no obstacle. */
export function decideRegister(
  state: RegisterState,
  command: RegisterCommand,
  context: CommandContext,
): UserRegistered | Refusal {
  if (!isOldEnough(command.dateOfBirth, context.time)) {
    return refuse('request_invalid', `dateOfBirth: one must be ${minimumAge} to have an account.`);
  }
  if (isTaken(state.usernameHolder, context.newId)) return refuse('username_taken');
  if (isTaken(state.emailHolder, context.newId)) return refuse('email_taken');
  return { type: 'UserRegistered', meta: envelopeOf(context), userId: context.newId, ...command };
}

export interface EditCommand {
  fullName: string;
  bio: string;
  website: string | null;
  gender: string | null;
  avatarMediaId: string | null;
  /** As it is when left out. */
  isPrivate?: boolean;
}

/** The media named as avatar, if one is named and known, and since when the account is private: milliseconds, or null. */
export interface EditState {
  avatar: MediaFacts | undefined;
  privateSince: number | null;
}

/** The event carries the whole profile, so that the newest edit alone decides; of the privacy since when it stands. */
export function decideEditProfile(
  { avatar, privateSince: since }: EditState,
  { isPrivate = since !== null, ...profile }: EditCommand,
  context: CommandContext,
): ProfileEdited | Refusal {
  const { avatarMediaId } = profile;
  const refusal = avatarMediaId ? refusalForUse(avatarMediaId, avatar, context.actor) : null;
  if (refusal) return refusal;
  const privateSince = isPrivate ? (since ?? context.time) : null;
  return {
    type: 'ProfileEdited',
    meta: envelopeOf(context),
    userId: context.actor,
    ...profile,
    privateSince,
  };
}

function isTaken(holder: string | null, registering: string): boolean {
  return holder !== null && holder !== registering;
}

/** Whole years by the calendar in UTC; somebody born on 29 February has their birthday on 1 March. */
function isOldEnough(dateOfBirth: string, now: number): boolean {
  const [year = 0, month = 1, day = 1] = dateOfBirth.split('-').map(Number);
  return Date.UTC(year + minimumAge, month - 1, day) <= now;
}
