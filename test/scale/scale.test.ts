import { AssignerProtocol } from 'kafkajs';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Appender, openAppender } from '../../platform/log/appender.ts';
import { type Codec, openCodec } from '../../platform/log/codec.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import type { Person } from '../harness/client.ts';
import { event } from '../harness/events.ts';
import { readTopic } from '../harness/log.ts';
import type { Service } from '../harness/services.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';
import { compareWithOracle } from '../oracle/compare.ts';
import { createHistory } from '../oracle/history.ts';
import { play } from '../oracle/play.ts';
import { connect, range, type Socket } from '../stream/stage.ts';

const patience = { timeout: 180_000, interval: 250 };
const likersAPart = 300;
/** Several of each share the partitions: those that make rows, tell frames, and append events. */
const shared = ['projectors', 'reactors', 'media-pipeline'] as const;
type Shared = (typeof shared)[number];
const history = createHistory(process.env.SCALE_SEED ?? 'scale', { people: 5, steps: 300 });

let world: World;
let appender: Appender;
let codec: Codec<Event>;
let author: Person;
let socket: Socket;
/** The first gets every like, each of the others one of five. */
const posts: string[] = [];
const likers: string[] = [];
/** Processes that came later. */
const came: Record<Shared, Service[]> = { projectors: [], reactors: [], 'media-pipeline': [] };

beforeAll(async () => {
  world = await startWorld({ env: { EMULSION_FANOUT_THRESHOLD: '3' } });
  const { api, prefix, kafka, env, services } = world;
  const registryUrl = env.SCHEMA_REGISTRY_URL!;
  codec = await openCodec<Event>({ registryUrl, catalog: eventCatalog, prefix });
  appender = await openAppender({ kafka, prefix, partitions: 4, log: createLogger('test', 'silent') });
  author = await api.register();
  const photo = await api.upload(author);
  for (let n = 0; n < 4; n += 1) posts.push(await api.publish(author, [photo]));
  await world.drained(patience.timeout);
  socket = connect(services.stream, { token: author.token, query: { cursor: '0' } });
  await socket.hello();
}, 300_000);
afterAll(async () => {
  socket?.close();
  await appender?.close();
  await world?.stop();
});

/** A part of the load: likes of people that nobody knows, most of them of one post, and two uploads. */
async function load(): Promise<void> {
  const part = Array.from({ length: likersAPart }, () => v7());
  likers.push(...part);
  const likes = part.flatMap((likerId, n) =>
    (n % 5 === 0 ? posts : posts.slice(0, 1)).map((postId) =>
      event('PostLiked', { postId, likerId, authorId: author.id }, Date.now()),
    ),
  );
  await Promise.all(likes.map((like) => appender.append(codec.encode(like, null))));
  // One after the other: each completes behind its own position, and a person has one.
  for (let n = 0; n < 2; n += 1) await world.api.upload(author);
}

async function come(name: Shared): Promise<void> {
  const service = await world.another(name);
  came[name].push(service);
  await service.start();
}

/** Of each member of the group how many partitions it has. */
async function sharesOf(consumer: string): Promise<number[]> {
  const admin = world.kafka.admin();
  await admin.connect();
  try {
    const { groups } = await admin.describeGroups([`${world.prefix}${consumer}`]);
    return groups[0]!.members.map(({ memberAssignment }) => {
      const { assignment } = AssignerProtocol.MemberAssignment.decode(memberAssignment)!;
      return Object.values(assignment).flat().length;
    });
  } finally {
    await admin.disconnect();
  }
}

async function expectShared(consumer: string, members: number): Promise<void> {
  await vi.waitFor(async () => {
    const shares = await sharesOf(consumer);
    expect(shares).toHaveLength(members);
    expect(Math.min(...shares)).toBeGreaterThan(0);
  }, patience);
}

/** What happens to the processes, each while a part of the load comes in. */
const turns: (() => Promise<unknown>)[] = [
  async () => {
    await Promise.all([...shared, 'projectors' as const].map(come));
    await Promise.all([
      expectShared('likes.v1', 3),
      expectShared('stream.v1', 2),
      expectShared('media-pipeline', 2),
    ]);
  },
  async () => {
    for (const name of shared) world.services[name].signal('SIGKILL');
  },
  () => came.projectors[0]!.stop(),
  () => Promise.all(shared.map((name) => world.services[name].start())),
  () => Promise.all([came.reactors[0]!.stop(), came['media-pipeline'][0]!.stop()]),
];

describe('three projectors, two reactors and two pipelines that come, leave and die under load', () => {
  it('take up each other’s work', { timeout: 600_000 }, async () => {
    const playing = play(world, history, { patienceMs: patience.timeout });
    playing.catch(() => {});
    for (const turn of turns) await Promise.all([load(), turn()]);
    await playing;
    await load();
    await world.drained(patience.timeout);
  });

  it('count every like once, and make what the log and the oracle say', { timeout: 300_000 }, async () => {
    const { rows } = await world.owner.query(
      `SELECT post_id, likes, (SELECT count(*) FROM likes_v1.post_like l WHERE l.post_id = c.post_id AND live) AS rows
       FROM likes_v1.post_like_count c WHERE post_id = ANY($1)`,
      [posts],
    );
    const counts = new Map(rows.map((row) => [row.post_id, [Number(row.likes), Number(row.rows)]]));
    const some = likers.length / 5;
    expect(posts.map((post) => counts.get(post))).toEqual(
      [likers.length, some, some, some].map((count) => [count, count]),
    );
    await compareWithOracle(world, history);
    await expectVerified(world);
    expect((await world.owner.query('SELECT FROM engine.parked')).rows).toEqual([]);
  });

  it('tell each frame, under one number', { timeout: 200_000 }, async () => {
    const { rows } = await world.owner.query('SELECT seq FROM stream.head WHERE user_id = $1', [author.id]);
    const head = Number(rows[0].seq);
    await socket.until((message) => message.seq === head && message.traceId, patience.timeout);
    expect(socket.seqs()).toEqual(range(1, head));
    const told = socket.got.filter(({ type }) => type === 'post.liked').map(({ data }) => data);
    const hot = told.filter(({ postId }) => postId === posts[0]).map(({ likerId }) => likerId);
    expect(hot.toSorted()).toEqual(likers.toSorted());
    expect(told).toHaveLength((likers.length * 8) / 5);
  });

  it('decide each upload at least once, under one id', async () => {
    const records = await readTopic(world.kafka, `${world.prefix}media-events`);
    const ids = (...types: string[]): string[] => [
      ...new Set(records.filter(({ type }) => types.includes(type)).map(({ id }) => id)),
    ];
    expect(ids('MediaReady', 'MediaRejected')).toHaveLength(ids('MediaUploaded').length);
  });

  it('leave no lock and no transaction behind', async () => {
    await vi.waitFor(async () => {
      const waiting = await world.owner.query(
        `SELECT l.locktype, l.mode, a.application_name, a.query FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE NOT l.granted AND a.datname = current_database()`,
      );
      const idle = await world.owner.query(
        `SELECT application_name, query FROM pg_stat_activity WHERE datname = current_database()
         AND state LIKE 'idle in transaction%' AND state_change < now() - interval '3 seconds'`,
      );
      expect([waiting.rows, idle.rows]).toEqual([[], []]);
    }, patience);
    const { rows } = await world.owner.query(
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    );
    console.log(`deadlocks that were tried again: ${rows[0].deadlocks}`);
  });
});
