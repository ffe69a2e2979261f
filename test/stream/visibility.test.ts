import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../harness/world.ts';
import { connect, openStage, pause, range, type Socket, type Stage } from './stage.ts';

let world: World;
let stage: Stage;

/** The tables of the models that decide as their projectors make them, filled by hand. */
async function makeModels(): Promise<void> {
  for (const [model, file] of [
    ['posts', 'content/post.sql'],
    ['graph', 'graph/follow.sql'],
    ['accounts', 'account/user.sql'],
  ]) {
    const sql = readFileSync(path.join(import.meta.dirname, '../../schemas', file!), 'utf8');
    const schema = `${model}_v1`;
    await world.owner.query(
      `CREATE SCHEMA ${schema}; SET search_path = ${schema}; ${sql}; RESET search_path`,
    );
    await world.owner.query(`GRANT USAGE ON SCHEMA ${schema} TO emulsion_query`);
    await world.owner.query(`GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO emulsion_query`);
    await world.owner.query(
      'INSERT INTO engine.version (model, version, schema_name, definition) VALUES ($1, 1, $2, 1)',
      [model, schema],
    );
    await world.owner.query('INSERT INTO engine.serving VALUES ($1, 1)', [model]);
  }
}

beforeAll(async () => {
  world = await startWorld({ services: [] });
  await makeModels();
  await world.services.stream.start();
  stage = await openStage(world);
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
});
