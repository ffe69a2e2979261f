import type { Event } from '../../../schemas/generated/events.ts';
import { registerColumns, type TableSpec, type Write } from '../spec.ts';

/** Who was erased: every model keeps a register of its own. */
export const erasedPerson: TableSpec = {
  name: 'erased_person',
  key: ['user_id'],
  columns: { user_id: 'plain', ...registerColumns },
};

export function erasedWrites(event: Event): Write[] {
  return event.type === 'UserErased'
    ? [{ table: 'erased_person', row: { user_id: event.userId }, live: true }]
    : [];
}
