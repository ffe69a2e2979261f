import { type Change, defineModel, put, type Seen } from '../engine/model.ts';

/** What operators ruled about parked records, for them to look up; what rounds are told of is in engine/rulings.ts. */
export const rulings = defineModel({
  name: 'rulings',
  version: 1,
  topics: ['operator-events'],
  sqlFile: 'operator/dead-letter.sql',
  registers: ['ruling'],
  counters: [],
  on: {
    DeadLetterEdited: (event) => [ruled(event, 'edited', null)],
    DeadLetterDiscarded: (event) => [ruled(event, 'discarded', event.reason)],
  },
});

function ruled(
  event: Seen<'DeadLetterEdited'> | Seen<'DeadLetterDiscarded'>,
  verdict: string,
  reason: string | null,
): Change {
  return put('ruling', {
    letter_id: event.letterId,
    model: event.model,
    log_topic: event.topic,
    log_partition: event.partition,
    log_offset: event.offset,
    verdict,
    reason,
  });
}
