import { type FactSpec, registerColumns, type Write } from '../spec.ts';

/** The newest word of an operator on each dead letter. */
export const rulings: FactSpec = {
  model: 'rulings',
  definition: 1,
  topics: ['operator-events'],
  tables: [
    {
      name: 'ruling',
      key: ['letter_id'],
      columns: {
        letter_id: 'plain',
        model: 'plain',
        log_topic: 'plain',
        log_partition: 'plain',
        log_offset: 'plain',
        verdict: 'plain',
        reason: 'plain',
        ...registerColumns,
      },
    },
  ],
  writes(event): Write[] {
    if (event.type !== 'DeadLetterEdited' && event.type !== 'DeadLetterDiscarded') return [];
    const edited = event.type === 'DeadLetterEdited';
    const row = {
      letter_id: event.letterId,
      model: event.model,
      log_topic: event.topic,
      log_partition: String(event.partition),
      log_offset: String(event.offset),
      verdict: edited ? 'edited' : 'discarded',
      reason: edited ? null : event.reason,
    };
    return [{ table: 'ruling', row, live: true }];
  },
};
