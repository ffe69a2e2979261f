import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { openSessions } from '../../command-api/account/sessions.ts';
import { openSigningKey } from '../../command-api/account/signing-key.ts';
import { fetchHeads } from '../../platform/log/topics.ts';
import { schemaOf } from '../../platform/postgres/serving.ts';
import { createDataKey } from '../../platform/vault/data-keys.ts';
import { type MasterKey, openMasterKey } from '../../platform/vault/master-key.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { createRandom } from '../load/random.ts';
import { createFeeds } from './feeds.ts';
import { against, type BenchReport, figureOf, loadNow, type Run } from './figures.ts';
import { appendEvents, appendRecords, benchCodec, epochMs, idAt, likeEvent } from './likes.ts';
import { startProcess } from './process.ts';
import { startProjectors } from './projectors.ts';
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
  /** Peak of the process that answers, so far. */
  memoryMb(): number;
}

const postCount = 5_000;
const likerCount = 1_000;
const consumer = 'likes.v1';
const schema = schemaOf('likes', 1);

/** Likes over HTTP, each acknowledged by the broker; a raw batched produce of the same records takes turns with it. */
export async function benchCommands(world: BenchWorld, options: CommandsOptions): Promise<BenchReport> {
  const { runs, seconds, connections, say } = options;
  const loadAverage = loadNow();
  say(`projecting ${postCount.toLocaleString('en')} posts, opening ${likerCount} sessions`);
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
    subject.push({ ...answered, memoryMb: stage.memoryMb() });
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
  const master = openMasterKey(world.env.EMULSION_MASTER_KEY_FILE!);
  const dataKeys = new Map<string, Buffer>();
  for (const author of new Set(posts.map(({ authorId }) => authorId)))
    dataKeys.set(author, await createDataKey(world.owner, master, author));
  await appendEvents(world, [...posts, ...posts.map(photoOf)], dataKeys);
  startProjectors(world);
  const projected = `SELECT FROM ${schemaOf('posts', 1)}.post WHERE visible HAVING count(*) = $1`;
  while (!(await found(world, projected, [postCount]))) await sleep(100);
  const likers = await openLikers(world, master);
  const api = startProcess(world, {
    main: 'command-api/main.ts',
    databaseKey: 'COMMAND_DATABASE_URL',
    env: { EMULSION_HOST: '127.0.0.1' },
  });
  const port = await api.until((line) =>
    line.includes('"listening"') ? Number(JSON.parse(line).port) : null,
  );
  return { url: `http://127.0.0.1:${port}`, likers, posts, memoryMb: api.memoryMb };
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

/** The tables are made by the projectors: until then there is nothing to ask. */
async function found({ owner }: BenchWorld, sql: string, params: unknown[]): Promise<boolean> {
  const result = await owner.query(sql, params).catch(() => null);
  return result !== null && result.rowCount === 1;
}

/** Sessions as a login opens them, without the password whose hash a login takes its time for. */
async function openLikers({ env, owner }: BenchWorld, master: MasterKey): Promise<Stage['likers']> {
  const signing = await openSigningKey(owner, master);
  const sessions = openSessions({ pool: owner, master, signing, issuer: env.PUBLIC_URL! });
  const random = createRandom('likers');
  const likers: Stage['likers'] = [];
  for (let n = 0; n < likerCount; n += 1) {
    const userId = idAt(random, epochMs + n);
    const { accessToken } = await sessions.open(userId);
    likers.push({ userId, accessToken });
  }
  return likers;
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

async function like(stage: Stage, next: () => Wish, options: CommandsOptions): Promise<Run> {
  const { connections, seconds } = options;
  let refusal = '';
  const result = await autocannon({
    url: stage.url,
    connections,
    duration: seconds,
    requests: [
      {
        method: 'POST',
        setupRequest(request) {
          const { postId, accessToken } = next();
          const headers = { authorization: `Bearer ${accessToken}` };
          return { ...request, path: `/api/posts/${postId}/like`, headers };
        },
        onResponse(status, body) {
          if (status >= 300) refusal ||= `${status} ${body}`;
        },
      },
    ],
  });
  const { latency, non2xx, errors, timeouts } = result;
  if (non2xx + errors + timeouts > 0)
    throw new Error(
      `${non2xx} refusals, ${errors} errors and ${timeouts} timeouts among the answers. ${refusal}`,
    );
  const { p50, p99 } = latency;
  return { count: result['2xx'], seconds: result.duration, latency: { p50Ms: p50, p99Ms: p99 } };
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
