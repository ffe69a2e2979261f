import type { Stretch } from '../../platform/log/read-log.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { eventCatalog } from '../../schemas/generated/events.ts';
import { type Difference, marksOf } from './difference.ts';
import { eventsAt, type Located, readEvents, type Source } from './events.ts';
import type { FactSpec } from './spec.ts';

/** An event behind a difference, without what is personal. */
export interface Cause {
  at: string;
  type: string;
  time: string;
  id: string;
  fields: Record<string, unknown>;
}

const causesADifference = 20;

/** Finds the events that made the differing rows, oldest first in each partition. */
export async function explain(
  source: Source,
  stretches: readonly Stretch[],
  specs: readonly FactSpec[],
  differences: readonly Difference[],
): Promise<Cause[][]> {
  const causes = differences.map((): Cause[] => []);
  const wanted = new Map<string, number[]>();
  differences.forEach((difference, index) => {
    for (const mark of difference.marks) wanted.set(mark, [...(wanted.get(mark) ?? []), index]);
  });
  await readEvents(source, stretches, null, (located) => {
    for (const event of eventsAt(located)) {
      const marks = specs.flatMap((spec) => marksOf(spec, event));
      for (const index of new Set(marks.flatMap((mark) => wanted.get(mark) ?? []))) {
        const own = causes[index]!;
        own.push(causeOf(located, event));
        if (own.length > causesADifference) own.shift();
      }
    }
  });
  return causes;
}

/** The marks of every event in these stretches. */
export async function marksIn(
  source: Source,
  stretches: readonly Stretch[],
  specs: readonly FactSpec[],
): Promise<Set<string>> {
  const marks = new Set<string>();
  await readEvents(source, stretches, null, (located) => {
    for (const event of eventsAt(located))
      for (const spec of specs) for (const mark of marksOf(spec, event)) marks.add(mark);
  });
  return marks;
}

function causeOf({ topic, partition, offset }: Located, event: Event): Cause {
  const personal: readonly string[] = eventCatalog[event.type].personal;
  const fields = Object.entries(event).filter(([name]) => !['type', 'meta', ...personal].includes(name));
  return {
    at: `${topic}/${partition}/${offset}`,
    type: event.type,
    time: new Date(event.meta.time).toISOString(),
    id: event.meta.id,
    fields: Object.fromEntries(fields),
  };
}
