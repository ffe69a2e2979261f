import { setTimeout as sleep } from 'node:timers/promises';
import { fetchHeads } from '../../platform/log/topics.ts';
import { schemaOf } from '../../platform/postgres/serving.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { createRandom } from '../load/random.ts';
import { createFeeds } from './feeds.ts';
import { against, type BenchReport, figureOf, loadNow, type Run } from './figures.ts';
import { loadHttp } from './http-load.ts';
import { appendEvents, appendRecords, benchCodec, epochMs, idAt, likeEvent } from './likes.ts';
import { createMembers, openTokens, registerMembers } from './people.ts';
import { startProcess, urlOf, type WorldProcess } from './process.ts';
import { allApplied, installModels, startProjectors } from './projectors.ts';
import type { BenchWorld } from './world.ts';

export interface CommandsOptions {
  seconds: number;
  connections: number;
  runs: number;
  say(text: string): void;
}

/** What the commands are about: people with tokens, and posts that they like. */
interface Stage {
  url: string;
  likers: { userId: string; accessToken: string }[];
  posts: { postId: string; authorId: string }[];
  /** What answers. */
  api: WorldProcess;
}

const postCount = 5_000;
const likerCount = 1_000;
const consumer = 'likes.v1';
const schema = schemaOf('likes', 1);

/** Likes over HTTP, each acknowledged by the broker; a raw batched produce of the same records takes turns with it. */
export async function benchCommands(world: BenchWorld, options: CommandsOptions): Promise<BenchReport> {
  const { runs, seconds, connections, say } = options;
  const loadAverage = loadNow();
  say(`projecting ${postCount.toLocaleString('en')} posts, signing ${likerCount} tokens`);
  const stage = await openStage(world);
  const subject: Run[] = [];
  const raw: Run[] = [];
  const behind: number[] = [];
  let wished = 0;
  let acknowledged = 0;
  const next = (): Wish => wishOf(stage, wished++);
  for (let run = 1; run <= runs; run += 1) {
    say(`run ${run} of ${runs}: ${seconds} s of likes at ${connections} connections, raw produce of as many`);
    const asked = wished;
    const answered = await like(stage, next, options);
    behind.push(await secondsBehind(world));
    acknowledged += answered.count;
    await mustHoldAll(world, acknowledged, wished);
    subject.push({ ...answered, memoryMb: stage.api.memoryMb() });
    raw.push(await produce(world, stage, asked, answered.count));
  }
  const ceiling = figureOf('ceiling: raw batched produce of as many records', raw);
  const worst = Math.max(...behind).toFixed(1);
  return {
    bench: 'commands',
    subject: against(figureOf(`likes over HTTP, ${connections} connections`, subject), [ceiling]),
    others: [ceiling],
    loadAverage,
    notes: [`the projections were at the end of the log at most ${worst} s after the last answer`],
  };
}

async function openStage(world: BenchWorld): Promise<Stage> {
  const posts = createFeeds(postCount).posts.map((post) => ({ ...post, mediaIds: [post.postId] }));
  const authorIds = [...new Set(posts.map(({ authorId }) => authorId))];
  const authors = authorIds.map((userId, n) => ({ userId, username: `author_${n}` }));
  const { events, dataKeys } = await registerMembers(world, authors);
  await installModels(world);
  startProjectors(world);
  await appendEvents(world, [...events, ...posts, ...posts.map(photoOf)], dataKeys);
  await allApplied(world);
  const tokenOf = await openTokens(world);
  const likers = createMembers(likerCount, 'liker').map(({ userId }) => ({
    userId,
    accessToken: tokenOf(userId),
  }));
  const api = startProcess(world, {
    main: 'command-api/main.ts',
    databaseKey: 'COMMAND_DATABASE_URL',
    env: { EMULSION_HOST: '127.0.0.1' },
  });
  return { url: await urlOf(api), likers, posts, api };
}

/** A post shows once its media are ready; this one has the post's id. */
function photoOf({ postId, authorId, meta }: Published): Event {
  return {
    type: 'MediaReady',
    meta: { ...meta, id: meta.id.replace(/^.{8}/, 'ffffffff') },
    ...{ mediaId: postId, ownerId: authorId, kind: 'image', width: 1, height: 1 },
    ...{ placeholder: '', dominantColor: '', variants: [] },
  };
}

type Published = ReturnType<typeof createFeeds>['posts'][number];

interface Wish {
  userId: string;
  accessToken: string;
  postId: string;
  authorId: string;
}

/** Every one another pair: each like is a new row. */
function wishOf({ likers, posts }: Stage, n: number): Wish {
  const turn = Math.floor(n / likers.length);
  if (turn >= posts.length) throw new Error('Everybody likes everything by now: measure for a shorter time.');
  return { ...likers[n % likers.length]!, ...posts[(n * 7 + turn) % posts.length]! };
}

function like(
  { url, api }: Stage,
  next: () => Wish,
  { connections, seconds }: CommandsOptions,
): Promise<Run> {
  return loadHttp({
    ...{ url, connections, seconds, method: 'POST', cpuSeconds: api.cpuSeconds },
    next() {
      const { postId, accessToken } = next();
      return { path: `/api/posts/${postId}/like`, headers: { authorization: `Bearer ${accessToken}` } };
    },
  });
}

/** Until the counters have all that the log holds now. */
async function secondsBehind({ kafka, prefix, owner }: BenchWorld): Promise<number> {
  const began = performance.now();
  const heads = (await fetchHeads(kafka, prefix, ['like-events'])).get('like-events')!;
  const total = heads.reduce((sum, head) => sum + head, 0n);
  const position = `SELECT sum(position)::bigint AS sum FROM engine.position WHERE consumer = '${consumer}'`;
  while (BigInt((await owner.query(position)).rows[0].sum) < total) await sleep(20);
  return (performance.now() - began) / 1_000;
}

/** A fast wrong answer is none: what was acknowledged is there. What was under way at the end may be, too. */
async function mustHoldAll({ owner }: BenchWorld, acknowledged: number, asked: number): Promise<void> {
  const { rows } = await owner.query(
    `SELECT (SELECT count(*) FROM ${schema}.post_like)::int AS rows,
            (SELECT sum(likes) FROM ${schema}.post_like_count)::int AS counted`,
  );
  const { rows: held, counted } = rows[0];
  if (held < acknowledged || held > asked || counted !== held)
    throw new Error(`${acknowledged} likes acknowledged of ${asked}, ${held} rows, ${counted} counted.`);
}

/** The same records in large batches, to a topic that nobody reads. */
async function produce(world: BenchWorld, stage: Stage, from: number, count: number): Promise<Run> {
  const topic = `${world.prefix}raw-${from}`;
  const admin = world.kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: Number(world.env.EMULSION_PARTITIONS) }] });
  await admin.disconnect();
  const codec = await benchCodec(world);
  const random = createRandom(topic);
  const records = Array.from({ length: count }, (_, n) => {
    const { userId: likerId, postId, authorId } = wishOf(stage, from + n);
    const at = epochMs + n;
    const fact = { postId, likerId, authorId, live: true, at, eventId: idAt(random, at) };
    return { ...codec.encode(likeEvent(fact), null), topic };
  });
  const began = performance.now();
  await appendRecords(world, records);
  return { count, seconds: (performance.now() - began) / 1_000 };
}
