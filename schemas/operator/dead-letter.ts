import { v5 } from 'uuid';
import type { DeadLetterEdited } from '../generated/events.ts';

const letters = '6b1f2a0e-8a52-4a0c-9d6e-1f4be9a3c7d5';

/** The place in the log that one model could not apply. `topic` is without prefix, `model` without version. */
export interface LetterPlace {
  model: string;
  topic: string;
  partition: number;
  offset: number | bigint;
}

/** The key of rulings on one dead letter, so that their order is one partition's. */
export function letterId({ model, topic, partition, offset }: LetterPlace): string {
  return v5(`${model}:${topic}/${partition}/${offset}`, letters);
}

/** The topic of rulings. */
export const rulingTopic = 'operator-events';

/** What an operator decided of one dead letter. */
export interface Ruling {
  model: string;
  topic: string;
  partition: number;
  offset: bigint;
  /** A whole record as it would lie in the log; null when it was discarded. */
  replacement: Buffer | null;
  /** Milliseconds, and the id of the event: the newest ruling holds. */
  time: number;
  id: string;
}

/** The ruling that an event of rulingTopic is; null for any other. */
export function rulingOf(event: {
  type: string;
  meta: { id: string; time: number };
  fields: Record<string, unknown>;
}): Ruling | null {
  if (event.type !== 'DeadLetterEdited' && event.type !== 'DeadLetterDiscarded') return null;
  const { model, topic, partition, offset, replacement } = event.fields as Pick<
    DeadLetterEdited,
    'model' | 'topic' | 'partition' | 'offset' | 'replacement'
  >;
  return {
    ...{ model, topic, partition },
    offset: BigInt(offset),
    replacement: event.type === 'DeadLetterEdited' ? replacement : null,
    time: event.meta.time,
    id: event.meta.id,
  };
}
