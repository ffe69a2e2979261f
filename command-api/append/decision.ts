import type { Envelope, Event } from '../../schemas/generated/events.ts';
import type { Refusal } from '../../schemas/problems.ts';

/**
 * Everything about a command that is neither state nor asked for: a decider takes time, ids and who acts from here,
 * so that the same arguments always give the same event (DESIGN §4).
 */
export interface CommandContext {
  /** UUIDv7 of the event, minted once; a repeat under the same Idempotency-Key carries the same one. */
  eventId: string;
  /** UUIDv7 of the thing that comes to be, for commands that make one. */
  newId: string;
  /** Event time in milliseconds: already past everything that the caller has seen (DESIGN §3). */
  time: number;
  /** User id of who acts; for a registration the id of the account that comes to be. */
  actor: string;
  /** W3C trace id of the request. */
  correlation: string;
}

/**
 * Nothing to append, because the state can't be undone and is already what was asked for: a deleted post, an uploaded
 * photograph. A toggle (follow, like) never answers this: the state may be behind an act of another device of the
 * same person, so a repeat is appended and the models settle it by time.
 */
export interface Unchanged {
  unchanged: true;
}

export const unchanged: Unchanged = { unchanged: true };

/** One command gives exactly one event, a refusal, or nothing new (DESIGN §3). */
export type Decision<E extends Event = Event> = E | Refusal | Unchanged;

export function isUnchanged(decision: Decision): decision is Unchanged {
  return 'unchanged' in decision;
}

/** The envelope of the event a command appends. */
export function envelopeOf(context: CommandContext): Envelope {
  return {
    id: context.eventId,
    source: '/command-api',
    time: context.time,
    actor: context.actor,
    correlation: context.correlation,
    causation: null,
  };
}
