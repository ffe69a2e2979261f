import { v7 } from 'uuid';
import { type Event, type EventOf, type EventType, eventCatalog } from '../../schemas/generated/events.ts';

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

/** People whose ids read as what they are, and sort like this. */
export const ana = '01900000-0000-7000-8000-00000000000a';
export const ben = '01900000-0000-7000-8000-00000000000b';
export const cleo = '01900000-0000-7000-8000-00000000000c';

/** The id of the nth of whatever the test is about; they sort by n. */
export function nth(n: number): string {
  return `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;
}

/** The event as models see it once its owner's data key is deleted: nothing personal can be revealed any more. */
export function erased(event: Event): Event {
  const hidden = eventCatalog[event.type].personal.map((field) => [field, null]);
  return { ...event, ...Object.fromEntries(hidden) };
}
