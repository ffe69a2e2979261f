import { schemaOf } from '../../platform/postgres/serving.ts';
import { consumeRaw, settleDisk, upsertLikes } from './ceilings.ts';
import { type ConnectSetting, openConnect } from './connect.ts';
import { mustBeExact } from './exact.ts';
import { against, type BenchReport, figureOf, loadNow, type Run } from './figures.ts';
import { appendEvents, likeEvent, likeFacts, mapped } from './likes.ts';
import { installModels, startProjectors } from './projectors.ts';
import type { BenchWorld } from './world.ts';

export interface ProjectionOptions {
  likes: number;
  runs: number;
  /** Another product that writes the same facts, in turns with ours. */
  peer?: 'connect' | undefined;
  say(text: string): void;
}

/** Kafka Connect's own ways, the best of which is the peer. */
const connectSettings: readonly ConnectSetting[] = [
  { batch: 500, unnest: false },
  { batch: 5_000, unnest: false },
  { batch: 5_000, unnest: true },
];

const consumer = 'likes.v1';

/** One projectors process applies a backlog of likes with exact counters; its ceilings take turns with it. */
export async function benchProjection(world: BenchWorld, options: ProjectionOptions): Promise<BenchReport> {
  const { likes, runs, say } = options;
  const loadAverage = loadNow();
  await installModels(world);
  say(`appending ${likes.toLocaleString('en')} likes`);
  await appendEvents(world, mapped(likeFacts(likes), likeEvent));
  const connect = options.peer ? await openConnect(world, () => likeFacts(likes)) : null;
  const subject: Run[] = [];
  const raw: Run[] = [];
  const rows: Run[] = [];
  const written = connectSettings.map((): Run[] => []);
  for (let run = 1; run <= runs; run += 1) {
    say(`run ${run} of ${runs}: projectors, raw consume, SQL alone${connect ? ', Kafka Connect' : ''}`);
    subject.push(await project(world, likes));
    raw.push(await consumeRaw(world, 'like-events', likes));
    rows.push(await upsertLikes(world, likeFacts(likes)));
    for (const [n, setting] of connect ? connectSettings.entries() : [])
      written[n]!.push(await connect!.write(setting));
  }
  const ceilings = [
    figureOf('ceiling: raw consume of the same records', raw),
    figureOf('ceiling: the row work in SQL alone', rows),
  ];
  const peers = connect ? written.map((own, n) => figureOf(peerName(connectSettings[n]!), own)) : [];
  const best = peers.toSorted((a, b) => b.perSecond - a.perSecond)[0];
  return {
    bench: 'projection',
    subject: against(figureOf('likes with counters, one projectors process', subject), ceilings),
    others: [...ceilings, ...peers],
    ...(best ? { peer: { name: best.name, perSecond: best.perSecond } } : {}),
    loadAverage,
    notes: [],
  };
}

function peerName({ batch, unnest }: ConnectSetting): string {
  return `Kafka Connect, Debezium sink, ${batch}${unnest ? ', unnest' : ''}, no counters`;
}

/** The process starts with nothing projected. */
async function project(world: BenchWorld, likes: number): Promise<Run> {
  await forgetLikes(world);
  await settleDisk(world.owner);
  const projectors = startProjectors(world);
  await projectors.applied(consumer, likes);
  const run = projectors.run(consumer, likes);
  await projectors.stop();
  await mustBeExact(world, schema, likes);
  return run;
}

const schema = schemaOf('likes', 1);

async function forgetLikes({ owner }: BenchWorld): Promise<void> {
  await owner.query(`TRUNCATE ${schema}.post_like, ${schema}.post_like_count`);
  await owner.query('DELETE FROM engine.position WHERE consumer = $1', [consumer]);
}
