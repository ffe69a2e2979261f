import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { streamKey } from '../../schemas/notify/frame.ts';
import { startWorld, type World } from '../harness/world.ts';
import { connect, openStage, pause, range, type Socket, type Stage } from './stage.ts';

/** After which a node has seen what is served, though nobody told it. */
const servingKnownMs = 1_500;

let world: World;
let stage: Stage;

beforeAll(async () => {
  world = await startWorld({ services: [] });
  stage = await openStage(world, ['stream']);
});
afterAll(async () => {
  stage?.close();
  await world?.stop();
});

it.each([true, false])(
  'tells of a deleted post no more when history is sent (in Redis: %s)',
  async (keep) => {
    const user = randomUUID();
    const author = randomUUID();
    const posts = range(1, 6).map(() => randomUUID());
    await stage.append(user, 6, {
      keep,
      type: 'post.published',
      data: (seq) => ({ postId: posts[seq - 1], authorId: author }),
    });
    // The third was deleted, the sixth too; of the fifth the model has not heard yet.
    for (const [i, live] of [true, true, false, true, null, false].entries()) {
      if (live === null) continue;
      await world.owner.query(
        `INSERT INTO posts_v1.post (post_id, author_id, live, visible, event_time, event_id)
       VALUES ($1, $2, $3, $3, now(), gen_random_uuid())`,
        [posts[i], author, live],
      );
    }
    const socket = connect(world.services.stream, { token: stage.token(user), query: { cursor: '0' } });
    await socket.until((message) => message.type === 'cursor' && message.seq === 6);
    expect(socket.seqs()).toEqual([1, 2, 4, 5]);
    await pause(50);
    socket.close();
  },
);

describe('of somebody it tells', () => {
  const now = `now(), gen_random_uuid()`;
  const block = (blocker: string, blocked: string) =>
    world.owner.query(`INSERT INTO graph_v1.block VALUES ($1, $2, now(), true, ${now})`, [blocker, blocked]);
  const goPrivate = async (id: string) => {
    await world.owner.query(`INSERT INTO accounts_v1.person VALUES ($1, 'x', 'x', NULL, true, ${now})`, [id]);
    await world.owner.query(
      `INSERT INTO accounts_v1.profile (user_id, private_since, live, event_time, event_id)
       VALUES ($1, now(), true, ${now})`,
      [id],
    );
  };
  const follow = (follower: string, followee: string, approved: boolean) =>
    world.owner.query(`INSERT INTO graph_v1.follow VALUES ($1, $2, now(), $3, true, ${now})`, [
      follower,
      followee,
      approved,
    ]);
  const told = {
    'post.published': (id: string) => ({ postId: randomUUID(), authorId: id }),
    'post.liked': (id: string) => ({ postId: randomUUID(), likerId: id }),
    'user.followed': (id: string) => ({ followerId: id }),
    'follow.requested': (id: string) => ({ followerId: id }),
    'follow.approved': (id: string) => ({ followeeId: id }),
  };
  const all = Object.keys(told);
  const others = all.filter((type) => type !== 'post.published');

  type Case = [string, (user: string, person: string) => Promise<unknown>, string[]];
  const cases: Case[] = [
    ['nothing when they have blocked the reader', (user, person) => block(person, user), []],
    ['nothing when the reader has blocked them', (user, person) => block(user, person), []],
    ['no post when they are private by now', (_, person) => goPrivate(person), others],
    [
      'no post when the follow is newer than their privacy and nobody granted it',
      async (user, person) => [await goPrivate(person), await follow(user, person, false)],
      others,
    ],
    [
      'everything when they are private and have granted the follow',
      async (user, person) => [await goPrivate(person), await follow(user, person, true)],
      all,
    ],
    ['everything else', async () => {}, all],
  ];
  const append = async (user: string, person: string, publish: boolean) => {
    for (const [type, data] of Object.entries(told))
      await stage.append(user, 1, { type, data: () => data(person), publish });
  };
  const expectTold = async (socket: Socket, shown: string[]) => {
    await socket.until(({ type, seq }) => seq === all.length && (type === 'cursor' || type === all.at(-1)));
    expect(socket.got.map(({ type }) => type).filter((type) => all.includes(type))).toEqual(shown);
    socket.close();
  };

  it.each(cases)('%s, when history is sent', async (_, stand, shown) => {
    const [user, person] = [randomUUID(), randomUUID()];
    await append(user, person, false);
    await stand(user, person);
    await expectTold(
      connect(world.services.stream, { token: stage.token(user), query: { cursor: '0' } }),
      shown,
    );
  });

  it.each(cases)('%s, live', async (_, stand, shown) => {
    const [user, person] = [randomUUID(), randomUUID()];
    await stand(user, person);
    const socket = connect(world.services.stream, { token: stage.token(user) });
    await socket.hello();
    await append(user, person, true);
    await expectTold(socket, shown);
  });

  it('nothing while a model that decides is not served, and all that shows once it is', async () => {
    const [user, person] = [randomUUID(), randomUUID()];
    await block(person, user);
    await world.owner.query("DELETE FROM engine.serving WHERE model = 'graph'");
    await pause(servingKnownMs);
    const socket = connect(world.services.stream, { token: stage.token(user), query: { cursor: '0' } });
    await socket.hello();
    await append(user, person, true);
    await append(user, randomUUID(), true);
    await pause(500);
    expect(socket.seqs()).toEqual([]);
    await world.owner.query("INSERT INTO engine.serving VALUES ('graph', 1)");
    await socket.until(({ seq, time }) => time !== undefined && seq === 2 * all.length);
    expect(socket.seqs()).toEqual(range(all.length + 1, 2 * all.length));
    socket.close();
  });

  it('nothing that has waited for its turn since before they were private', async () => {
    const [user, person] = [randomUUID(), randomUUID()];
    await stage.append(user, 1);
    const socket = connect(world.services.stream, { token: stage.token(user) });
    await socket.hello();
    const writer = await world.owner.connect();
    // History does not answer, so the third frame, which comes live, waits for the second.
    await writer.query('BEGIN; LOCK TABLE stream.entry');
    const frame = (seq: number) => ({
      ...{ seq, type: 'post.published', time: new Date().toISOString(), traceId: 'trace' },
      data: told['post.published'](person),
    });
    for (const { seq, ...payload } of [frame(2), frame(3)])
      await writer.query('INSERT INTO stream.entry VALUES ($1, $2, gen_random_uuid(), now(), $3)', [
        user,
        seq,
        JSON.stringify(payload),
      ]);
    await stage.redis.publish(streamKey(world.prefix, user), JSON.stringify(frame(3)));
    await pause(300);
    await goPrivate(person);
    await pause(1_200);
    await writer.query('COMMIT');
    writer.release();
    await socket.until(({ type, seq }) => type === 'cursor' && seq === 3);
    expect(socket.seqs()).toEqual([]);
    socket.close();
  });
});
