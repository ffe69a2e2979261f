import type { Stretch } from '../../platform/log/read-log.ts';
import { noRulings } from '../../platform/log/rulings.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { rowAt } from './bytes/layout.ts';
import { type Difference, marksOf } from './difference.ts';
import { type Located, readEvents } from './events.ts';
import { factHead, factsPile, type Place, placeOf, type Subject } from './piles/gather.ts';
import type { Spill } from './piles/spill.ts';
import type { Source } from './source.ts';

/** An event behind a difference, without what is personal. */
export interface Cause {
  at: string;
  type: string;
  time: string;
  id: string;
  fields: Record<string, unknown>;
}

const causesADifference = 20;

/** Finds the events that made the differing rows, oldest first; of many the newest in the log. */
export async function explain(
  source: Source,
  subjects: readonly Subject[],
  spill: Spill,
  differences: readonly Difference[],
): Promise<Cause[][]> {
  const places = placesBehind(subjects, spill, differences);
  const wanted = new Map<string, number[]>();
  places.forEach((own, index) => {
    for (const place of own) wanted.set(place, [...(wanted.get(place) ?? []), index]);
  });
  const causes = differences.map((): (Cause & { order: number })[] => []);
  const options = { stretches: around([...wanted.keys()]), keys: null, models: [], rulings: noRulings };
  await readEvents(source, options, (located) => {
    for (const index of wanted.get(nameOf(located)) ?? [])
      if (located.event) causes[index]!.push(causeOf(located, located.event));
  });
  return causes.map((own) =>
    own.sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1)).map(({ order: _, ...cause }) => cause),
  );
}

/** Where the events lie that bear on each difference, by what was gathered: the log need not be gone through again. */
function placesBehind(
  subjects: readonly Subject[],
  spill: Spill,
  differences: readonly Difference[],
): string[][] {
  const places = differences.map((): string[] => []);
  const wanted = new Map<string, number[]>();
  differences.forEach(({ marks }, index) => {
    for (const mark of marks) wanted.set(mark, [...(wanted.get(mark) ?? []), index]);
  });
  for (const { spec, layouts, buckets, state } of subjects) {
    if (!differences.some(({ model }) => model === state.model)) continue;
    for (let bucket = 0; bucket < buckets; bucket += 1) {
      spill.each(factsPile(state.model, bucket), (fact) => {
        const layout = layouts[fact[0]!]!;
        const marks = marksOf(spec, layout, rowAt(layout, fact, factHead));
        for (const index of new Set(marks.flatMap((mark) => wanted.get(mark) ?? [])))
          putPlace(places[index]!, nameOf(placeOf(fact)));
      });
    }
  }
  return places;
}

function putPlace(places: string[], place: string): void {
  places.push(place);
  if (places.length > causesADifference) places.shift();
}

function nameOf({ topic, partition, offset }: Place): string {
  return `${topic}/${partition}/${offset}`;
}

/** In each partition the stretch from the first of these places to the last. */
function around(places: readonly string[]): Stretch[] {
  const stretches = new Map<string, Stretch>();
  for (const place of places) {
    const [topic, partition, offset] = place.split('/');
    const at = BigInt(offset!);
    const id = `${topic}/${partition}`;
    const known = stretches.get(id) ?? { topic: topic!, partition: Number(partition), from: at, to: at + 1n };
    known.from = known.from < at ? known.from : at;
    known.to = known.to > at ? known.to : at + 1n;
    stretches.set(id, known);
  }
  return [...stretches.values()];
}

function causeOf(located: Located, event: Event): Cause & { order: number } {
  const personal: readonly string[] = eventCatalog[event.type].personal;
  const fields = Object.entries(event).filter(
    ([name, value]) => !['type', 'meta', ...personal].includes(name) && !Buffer.isBuffer(value),
  );
  return {
    at: nameOf(located),
    type: event.type,
    time: new Date(event.meta.time).toISOString(),
    id: event.meta.id,
    fields: Object.fromEntries(fields),
    order: event.meta.time,
  };
}
