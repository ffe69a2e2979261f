import type { Stretch } from '../../../platform/log/read-log.ts';
import { noRulings } from '../../../platform/log/rulings.ts';
import { fetchHeads } from '../../../platform/log/topics.ts';
import type { Difference } from '../difference.ts';
import { readEvents } from '../events.ts';
import type { Verified } from '../snapshot.ts';
import type { Source } from '../source.ts';
import type { Follow } from './feeds.ts';

/** A feed that is not what its facts say, as of one look. */
export interface DifferingFeed {
  reader: string;
  follows: readonly Follow[];
  /** As long as a feed gets: any post that comes or goes moves what is below it. */
  cut: boolean;
  differences: Difference[];
}

/** What the log holds behind these positions, up to now. */
export async function tailBehind(
  { kafka, prefix }: Source,
  { spec }: Verified,
  positions: ReadonlyMap<string, number>,
): Promise<Stretch[]> {
  const heads = await fetchHeads(kafka, prefix, spec.topics);
  return [...heads].flatMap(([topic, ends]) =>
    ends
      .map((to, partition) => {
        const from = BigInt(positions.get(`${topic}/${partition}`) ?? 0);
        return { topic, partition, from, to };
      })
      .filter(({ from, to }) => from < to),
  );
}

/** Tells of a difference whether events of these stretches may be what it is made of. */
export async function movementIn(
  source: Source,
  { spec, state }: Verified,
  stretches: readonly Stretch[],
): Promise<(feed: DifferingFeed, difference: Difference) => boolean> {
  const readers = new Set<string>();
  const pairs = new Set<string>();
  const authors = new Set<string>();
  const erased = new Set<string>();
  const options = { stretches, keys: null, models: [state.model], rulings: noRulings };
  await readEvents(source, options, ({ event }) => {
    for (const { table, row } of event ? spec.writes(event) : []) {
      if (table === 'erased_person') erased.add(row.user_id!);
      else if (table === 'timeline_post') authors.add(row.author_id!);
      else pairs.add(`${row.follower_id} ${row.followee_id}`);
      if (table === 'timeline_follow') readers.add(row.follower_id!);
    }
  });
  const movesAny = ({ reader, follows }: DifferingFeed): boolean =>
    readers.has(reader) ||
    erased.has(reader) ||
    authors.has(reader) ||
    follows.some(({ authorId }) => authors.has(authorId) || erased.has(authorId));
  return (feed, { expected, actual }) => {
    if (feed.cut) return movesAny(feed);
    const author = (expected ?? actual)!.author_id!;
    if (erased.has(feed.reader) || erased.has(author)) return true;
    return authors.has(author) || pairs.has(`${feed.reader} ${author}`);
  };
}
