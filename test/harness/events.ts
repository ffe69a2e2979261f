import { v7 } from 'uuid';
import type { Event, EventOf, EventType } from '../../schemas/generated/events.ts';

type Fields<T extends EventType> = Omit<EventOf<T>, 'type' | 'meta'>;

/** An event as the log would give it, with what the test does not care about filled in. */
export function event<T extends EventType>(
  type: T,
  fields: Fields<T>,
  at: number,
  id: string = v7({ msecs: at }),
): Event {
  const meta = {
    id,
    source: '/test',
    time: at,
    actor: null,
    correlation: '0'.repeat(31).concat('1'),
    causation: null,
  };
  return { type, meta, ...fields } as unknown as Event;
}

/** A fixed moment, so that a failing test reads the same twice. */
export const noon = Date.parse('2026-01-15T12:00:00.000Z');
