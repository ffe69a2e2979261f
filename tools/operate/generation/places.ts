import { failure } from '../../../deploy/native/failure.ts';
import type { Kafka } from '../../../platform/log/kafka.ts';
import { readLog } from '../../../platform/log/read-log.ts';
import { fetchHeads } from '../../../platform/log/topics.ts';
import type { RecordPlace } from '../../../platform/postgres/parked.ts';
import { pairOf, type Shape } from './ledger.ts';
import type { Generation } from './topic.ts';

/** Where records of the old generation lie in the new one. */
export type Moved = (place: RecordPlace) => RecordPlace;

/**
 * Finds some records of a copied log again: the nth of a pair here is the nth of that pair there. Reads the topics
 * concerned once on each side, so it is for few places: dead letters, and rulings on them.
 */
export async function findPlaces(
  kafka: Kafka,
  generations: { old: Generation; new: Generation },
  places: readonly RecordPlace[],
): Promise<Moved> {
  const shape = { old: generations.old.partitions, new: generations.new.partitions };
  const names = await numberIn(kafka, generations.old, shape, 'old', places);
  const found = new Map<string, RecordPlace>();
  const wanted = new Map([...names].map(([place, name]) => [name, place]));
  await countThrough(kafka, generations.new, shape, 'new', topicsOf(places), (name, place) => {
    const old = wanted.get(name);
    if (old) found.set(old, place);
  });
  return (place) => {
    const moved = found.get(textOf(place));
    if (moved) return moved;
    throw failure(
      `${textOf(place)} was ruled on or parked, and the log has no such record.`,
      'The ruling or the parked row names another log; a person must decide.',
    );
  };
}

/** The pair and number of each place, by the place's text. */
async function numberIn(
  kafka: Kafka,
  generation: Generation,
  shape: Shape,
  side: 'old',
  places: readonly RecordPlace[],
): Promise<Map<string, string>> {
  const wanted = new Set(places.map(textOf));
  const names = new Map<string, string>();
  await countThrough(kafka, generation, shape, side, topicsOf(places), (name, place) => {
    if (wanted.has(textOf(place))) names.set(textOf(place), name);
  });
  return names;
}

/** Names every record of these topics by topic, pair and number. */
async function countThrough(
  kafka: Kafka,
  { prefix }: Generation,
  shape: Shape,
  side: 'old' | 'new',
  topics: readonly string[],
  note: (name: string, place: RecordPlace) => void,
): Promise<void> {
  const heads = await fetchHeads(kafka, prefix, topics);
  const stretches = [...heads].flatMap(([topic, ends]) =>
    ends.map((to, partition) => ({ topic, partition, from: 0n, to })),
  );
  const counts = new Map<string, number>();
  await readLog({
    kafka,
    prefix,
    stretches,
    async handle(records) {
      for (const record of records) {
        const pair = `${record.topic} ${pairOf(shape, side, record)}`;
        const nth = (counts.get(pair) ?? 0) + 1;
        counts.set(pair, nth);
        note(`${pair} ${nth}`, record);
      }
    },
  });
}

function topicsOf(places: readonly RecordPlace[]): string[] {
  return [...new Set(places.map(({ topic }) => topic))];
}

function textOf({ topic, partition, offset }: RecordPlace): string {
  return `${topic}/${partition}/${offset}`;
}
