import type { Stretch } from '../../platform/log/read-log.ts';
import { startPhase } from '../load/progress.ts';
import { compareTable, keptDifferences, newResult, type TableResult } from './compare.ts';
import type { Difference } from './difference.ts';
import { eventFor, type Located, readEvents, type Source } from './events.ts';
import { collectPosts, type PostsOfAuthors } from './feeds.ts';
import { createFold, type Fold } from './fold.ts';
import type { ModelState, Snapshot } from './snapshot.ts';
import type { FactSpec } from './spec.ts';

/** A served model with what is known of it. */
export interface Verified {
  spec: FactSpec;
  state: ModelState;
}

export interface PassResult {
  tables: TableResult[];
  differences: Difference[];
  /** Records that do not decode and are not parked. */
  broken: string[];
  posts: PostsOfAuthors;
}

/** What lies before the positions of any of these models. */
export function stretchesOf(models: readonly Verified[], topics?: readonly string[]): Stretch[] {
  const ends = new Map<string, Stretch>();
  for (const { spec, state } of models) {
    for (const [id, to] of state.positions) {
      const slash = id.lastIndexOf('/');
      const topic = id.slice(0, slash);
      if (!spec.topics.includes(topic) || (topics && !topics.includes(topic))) continue;
      const known = ends.get(id);
      if (known) known.to = known.to > to ? known.to : BigInt(to);
      else ends.set(id, { topic, partition: Number(id.slice(slash + 1)), from: 0n, to: BigInt(to) });
    }
  }
  return [...ends.values()];
}

/** Whether the rows of this model must hold that record. */
export function isApplied({ state }: Verified, { topic, partition, offset }: Located): boolean {
  const id = `${topic}/${partition}`;
  return offset < (state.positions.get(id) ?? 0) && !state.parked.has(`${id}/${offset}`);
}

/**
 * Folds the log in passes over buckets of row keys, so that memory is bounded by the size of a bucket, and compares
 * each bucket's rows of the same snapshot.
 */
export async function comparePasses(
  source: Source,
  snapshot: Snapshot,
  models: readonly Verified[],
  buckets: number,
): Promise<PassResult> {
  const result: PassResult = { tables: [], differences: [], broken: [], posts: new Map() };
  for (const { spec } of models)
    result.tables.push(...spec.tables.map((table) => newResult(spec.model, table.name)));
  const stretches = stretchesOf(models);
  const records = stretches.reduce((sum, stretch) => sum + Number(stretch.to), 0);
  const phase = startPhase('fold', records * buckets, `${buckets} ${buckets === 1 ? 'pass' : 'passes'}`);
  try {
    for (let index = 0; index < buckets; index += 1) {
      const folds = models.map(({ spec }) => createFold(spec, { index, of: buckets }));
      await readEvents(source, stretches, snapshot.client, (located) => {
        phase.step();
        takeRecord(models, folds, located, index === 0 ? result.broken : []);
      });
      await compareFolds(snapshot, models, folds, { index, of: buckets }, result);
    }
  } finally {
    phase.end();
  }
  return result;
}

function takeRecord(
  models: readonly Verified[],
  folds: readonly Fold[],
  located: Located,
  broken: string[],
): void {
  models.forEach((model, index) => {
    if (!model.spec.topics.includes(located.topic) || !isApplied(model, located)) return;
    const event = eventFor(model.spec.model, located);
    if (event) folds[index]!.take(event);
    else if (event === null)
      broken.push(
        `${model.spec.model}: ${located.topic}/${located.partition}/${located.offset} does not decode and is not parked`,
      );
  });
}

/** Uses the folds up, one model after the other, so that each one's memory is free for the next. */
async function compareFolds(
  snapshot: Snapshot,
  models: readonly Verified[],
  folds: Fold[],
  bucket: { index: number; of: number },
  result: PassResult,
): Promise<void> {
  for (const { spec, state } of models) {
    const fold = folds.shift()!;
    if (spec.model === 'timelines') collectPosts(result.posts, fold.registers());
    const rows = fold.rows();
    for (const table of spec.tables) {
      const totals = result.tables.find((t) => t.model === spec.model && t.table === table.name)!;
      const expected = rows.get(table.name)!;
      const found = await compareTable(snapshot.client, spec, state.schema, table, bucket, expected, totals);
      result.differences.push(...found.slice(0, keptDifferences));
    }
  }
}
