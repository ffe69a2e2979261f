import { schemaOf } from '../../platform/postgres/serving.ts';
import { consumeRaw, settleDisk, upsertLikes } from './ceilings.ts';
import { mustBeExact } from './exact.ts';
import { against, type BenchReport, figureOf, loadNow, type Run } from './figures.ts';
import { appendEvents, likeEvent, likeFacts, mapped } from './likes.ts';
import { installModels, startProjectors } from './projectors.ts';
import type { BenchWorld } from './world.ts';

export interface ProjectionOptions {
  likes: number;
  runs: number;
  say(text: string): void;
}

const consumer = 'likes.v1';

/** One projectors process applies a backlog of likes with exact counters; its ceilings take turns with it. */
export async function benchProjection(world: BenchWorld, options: ProjectionOptions): Promise<BenchReport> {
  const { likes, runs, say } = options;
  const loadAverage = loadNow();
  await installModels(world);
  say(`appending ${likes.toLocaleString('en')} likes`);
  await appendEvents(world, mapped(likeFacts(likes), likeEvent));
  const subject: Run[] = [];
  const raw: Run[] = [];
  const rows: Run[] = [];
  for (let run = 1; run <= runs; run += 1) {
    say(`run ${run} of ${runs}: projectors, raw consume, SQL alone`);
    subject.push(await project(world, likes));
    raw.push(await consumeRaw(world, 'like-events', likes));
    rows.push(await upsertLikes(world, likeFacts(likes)));
  }
  const ceilings = [
    figureOf('ceiling: raw consume of the same records', raw),
    figureOf('ceiling: the row work in SQL alone', rows),
  ];
  return {
    bench: 'projection',
    subject: against(figureOf('likes with counters, one projectors process', subject), ceilings),
    others: ceilings,
    loadAverage,
    notes: [],
  };
}

/** From when the first round begins to when the last is committed; the process starts with nothing projected. */
async function project(world: BenchWorld, likes: number): Promise<Run> {
  await forgetLikes(world);
  await settleDisk(world.owner);
  const projectors = startProjectors(world);
  await projectors.applied(consumer, likes);
  const rounds = projectors.rounds(consumer);
  const began = rounds[0]!.at / 1_000 - rounds[0]!.seconds;
  const memoryMb = projectors.memoryMb();
  await projectors.stop();
  await mustBeExact(world, schema, likes);
  return {
    count: likes,
    seconds: rounds.at(-1)!.at / 1_000 - began,
    rounds: rounds.map(({ seconds }) => seconds * 1_000),
    memoryMb,
  };
}

const schema = schemaOf('likes', 1);

async function forgetLikes({ owner }: BenchWorld): Promise<void> {
  await owner.query(`TRUNCATE ${schema}.post_like, ${schema}.post_like_count`);
  await owner.query('DELETE FROM engine.position WHERE consumer = $1', [consumer]);
}
