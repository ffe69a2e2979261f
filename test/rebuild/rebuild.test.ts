import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ask, type Question } from '../../tools/operate/ask.ts';
import { isEqual, verify } from '../../tools/verify/verify.ts';
import { openWorld } from '../../tools/verify/world.ts';
import { expectStatus, type Person } from '../harness/client.ts';
import { readTopic } from '../harness/log.ts';
import { startWorld, type World } from '../harness/world.ts';

let world: World;
let people: Person[];
let posts: string[];
// Every build is verified by a process of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

beforeAll(async () => {
  world = await startWorld({ services: ['command-api', 'query-api', 'projectors', 'media-pipeline'] });
  people = await Promise.all(Array.from({ length: 5 }, () => world.api.register()));
  const photo = await world.api.upload(people[0]!);
  posts = [await world.api.publish(people[0]!, [photo])];
  // A post can be liked once it shows.
  await world.drained();
  for (const person of people.slice(1)) {
    expectStatus(await world.api.as(person, 'POST', `/api/users/${people[0]!.username}/follow`), 200);
    expectStatus(await world.api.as(person, 'POST', `/api/posts/${posts[0]}/like`), 200);
  }
  await world.drained();
});
afterAll(() => world?.stop());

const models = ['accounts', 'graph', 'posts', 'likes', 'media', 'timelines'];

const order = (kind: Question['kind'], model: string, given: Record<string, unknown> = {}) =>
  ask(world.owner, { kind, model, arguments: given, askedBy: 'test' });

async function buildState(model: string): Promise<{ version: number; state: string; detail: string | null }> {
  const { rows } = await world.owner.query(
    'SELECT version, state, detail FROM engine.rebuild WHERE model = $1 ORDER BY version DESC LIMIT 1',
    [model],
  );
  return rows[0];
}

async function untilState(model: string, state: string): Promise<void> {
  await vi.waitFor(async () => expect(await buildState(model)).toMatchObject({ state }), {
    timeout: 90_000,
    interval: 100,
  });
}

/** Those that a model has tables in. */
async function schemas(model: string): Promise<string[]> {
  const { rows } = await world.owner.query(
    `SELECT nspname FROM pg_namespace WHERE nspname ~ ('^' || $1 || '_v[0-9]+$') ORDER BY 1`,
    [model],
  );
  return rows.map((row) => row.nspname);
}

async function verified(model: string): Promise<{ outcome: 'equal' | 'different'; differences: unknown[] }> {
  const log = await openWorld(world.env);
  try {
    const report = await verify(log, { models: [model] });
    return { outcome: isEqual(report) ? 'equal' : 'different', differences: report.differences };
  } finally {
    await log.close();
  }
}

async function served(model: string): Promise<number> {
  return (await world.owner.query('SELECT version FROM engine.serving WHERE model = $1', [model])).rows[0]
    .version;
}

/** Does something again and again until told to stop, which tells what went wrong. */
function underway(work: () => Promise<void>): { stop(): Promise<void> } {
  let going = true;
  const loop = (async () => {
    while (going) await work();
  })();
  loop.catch(() => {});
  return {
    async stop() {
      going = false;
      await loop;
    },
  };
}

test('every model is built again while it is written and read: no read fails, none is half filled, none goes back', async () => {
  const [author, reader, liker] = people as [Person, Person, Person];
  let liked = true;
  const writing = underway(async () => {
    liked = !liked;
    const answer = await world.api.as(liker, liked ? 'POST' : 'DELETE', `/api/posts/${posts[0]}/like`);
    expect(answer.status).toBeLessThan(300);
    // Reads its own write, across every switch.
    const post = await world.api.as(liker, 'GET', `/api/posts/${posts[0]}`);
    expect(post.body).toMatchObject({ likedByViewer: liked, likeCount: liked ? 4 : 3 });
  });
  const reading = underway(async () => {
    const feed = await world.api.as(reader, 'GET', '/api/feed');
    expect(feed.status).toBe(200);
    expect(feed.body.items.map((item: { id: string }) => item.id)).toEqual(posts);
    const profile = await world.api.call('GET', `/api/users/${author.username}`);
    expect(profile.body).toMatchObject({ followersCount: 4, postsCount: 1 });
  });
  try {
    for (const model of models) {
      expect(await order('rebuild', model)).toMatchObject({ outcome: 'done' });
      await untilState(model, 'switched');
      expect(await served(model)).toBe(2);
    }
  } finally {
    await writing.stop();
    await reading.stop();
  }
  await world.drained();
});

test('a rollback leads back to what has everything written since, and forward again', async () => {
  const [, , liker] = people as [Person, Person, Person];
  expect(await order('rebuild', 'likes')).toMatchObject({ outcome: 'done' });
  await untilState('likes', 'switched');
  const now = await served('likes');
  expectStatus(await world.api.as(liker, 'DELETE', `/api/posts/${posts[0]}/like`), 200);
  expect(await order('rollback', 'likes')).toMatchObject({ outcome: 'done' });
  expect(await served('likes')).toBe(now - 1);
  const post = await world.api.as(liker, 'GET', `/api/posts/${posts[0]}`);
  expect(post.body).toMatchObject({ likedByViewer: false, likeCount: 3 });
  expect(await order('rollback', 'likes')).toMatchObject({ outcome: 'done' });
  expect(await served('likes')).toBe(now);
  const dropped = await order('drop', 'likes', { version: now - 1 });
  expect(dropped).toMatchObject({ outcome: 'done' });
  expect(await order('rollback', 'likes')).toMatchObject({ outcome: 'refused' });
  await vi.waitFor(async () => expect(await schemas('likes')).toEqual([`likes_v${now}`]), {
    timeout: 90_000,
  });
});

test('a build stops when it is verified if asked to, and a second operator is told of it', async () => {
  const before = await served('likes');
  expect(await order('rebuild', 'likes', { switch: false })).toMatchObject({ outcome: 'done' });
  const second = await order('rebuild', 'likes');
  expect(second.outcome).toBe('refused');
  expect(second.detail).toContain('being rebuilt already');
  await untilState('likes', 'ready');
  expect(await served('likes')).toBe(before);
  expect(await order('switch', 'likes')).toMatchObject({ outcome: 'done' });
  expect(await served('likes')).toBe(before + 1);
  expect(await order('switch', 'likes')).toMatchObject({ outcome: 'refused' });
});

test('a paused model is not filled, and a cancelled build leaves nothing behind', async () => {
  const before = await served('posts');
  expect(await order('pause', 'posts')).toMatchObject({ outcome: 'done' });
  expect(await order('rebuild', 'posts')).toMatchObject({ outcome: 'done' });
  await untilState('posts', 'filling');
  expect(await order('cancel', 'posts')).toMatchObject({ outcome: 'done' });
  expect(await order('resume', 'posts')).toMatchObject({ outcome: 'done' });
  await vi.waitFor(async () => expect(await schemas('posts')).not.toContain(`posts_v${before + 1}`), {
    timeout: 20_000,
  });
  expect(await served('posts')).toBe(before);
  expect(await order('cancel', 'posts')).toMatchObject({ outcome: 'refused' });
  // Numbers are not used again: positions of the cancelled version may still be remembered somewhere.
  expect(await order('rebuild', 'posts')).toMatchObject({ outcome: 'done' });
  await untilState('posts', 'switched');
  expect(await served('posts')).toBe(before + 2);
});

test('what reaches outside is not built again', async () => {
  expect(await order('rebuild', 'stream')).toMatchObject({ outcome: 'refused' });
});

test('what was staged is lost with a crash of Postgres: the build begins again, and is right', async () => {
  const { projectors } = world.services;
  await projectors.stop();
  await projectors.start({ EMULSION_CRASH_POINT: 'rebuild.filled:freeze' });
  expect(await order('rebuild', 'graph')).toMatchObject({ outcome: 'done' });
  await untilState('graph', 'filling');
  const { version } = await buildState('graph');
  await vi.waitFor(() => expect(projectors.output()).toContain('crash point rebuild.filled'), {
    timeout: 20_000,
  });
  // What a crash of Postgres does to unlogged tables.
  await world.owner.query(`TRUNCATE graph_v${version}.fill_follow, graph_v${version}.fill_mark`);
  projectors.signal('SIGCONT');
  await untilState('graph', 'switched');
  expect(await verified('graph')).toEqual({ outcome: 'equal', differences: [] });
});

test('a record that killed a process under another version is parked by the build without being tried', async () => {
  await world.drained();
  const before = await served('likes');
  // As the live version leaves it when it has found the one record that kills.
  const { rows } = await world.owner.query(
    `WITH newest AS (SELECT post_id, liker_id, event_id FROM likes_v${before}.post_like ORDER BY event_time DESC LIMIT 1),
          taken AS (DELETE FROM likes_v${before}.post_like l USING newest n WHERE l.event_id = n.event_id RETURNING l.*)
     SELECT event_id, liker_id, live FROM taken`,
  );
  const [killer] = (await readTopic(world.kafka, `${world.prefix}like-events`)).filter(
    ({ id }) => id === rows[0].event_id,
  );
  await world.owner.query(
    `INSERT INTO engine.parked (consumer, topic, partition, "offset", key, event_id, value, code, detail)
     VALUES ($1, 'like-events', $2, $3, $4, $5, $6, 'kills_process', 'a test says so')`,
    [`likes.v${before}`, killer!.partition, `${killer!.offset}`, killer!.key, killer!.id, killer!.value],
  );
  expect(await order('rebuild', 'likes')).toMatchObject({ outcome: 'done' });
  await untilState('likes', 'switched');
  const parked = await world.owner.query('SELECT code FROM engine.parked WHERE consumer = $1', [
    `likes.v${before + 1}`,
  ]);
  expect(parked.rows).toEqual([{ code: 'kills_process' }]);
  expect(await verified('likes')).toEqual({ outcome: 'equal', differences: [] });
  // Found harmless after all: a build without it applies the record.
  await world.owner.query('DELETE FROM engine.parked');
  expect(await order('rebuild', 'likes')).toMatchObject({ outcome: 'done' });
  await untilState('likes', 'switched');
  expect(await verified('likes')).toEqual({ outcome: 'equal', differences: [] });
});

test('a build whose holders die one after the other is given up, and says so', async () => {
  expect(await order('pause', 'media')).toMatchObject({ outcome: 'done' });
  expect(await order('rebuild', 'media')).toMatchObject({ outcome: 'done' });
  await untilState('media', 'filling');
  const { projectors } = world.services;
  for (let deaths = 1; deaths <= 3; deaths += 1) {
    projectors.signal('SIGKILL');
    await projectors.ended();
    // Its lease has run out.
    await world.owner.query(
      `UPDATE engine.rebuild SET held_until = now() - interval '1 second' WHERE state = 'filling'`,
    );
    await projectors.start();
    if (deaths === 3) continue;
    await vi.waitFor(
      async () =>
        expect(
          (await world.owner.query(`SELECT deaths FROM engine.rebuild WHERE state = 'filling'`)).rows,
        ).toEqual([{ deaths }]),
      { timeout: 20_000, interval: 100 },
    );
  }
  await untilState('media', 'failed');
  expect((await buildState('media')).detail).toContain('3 processes died');
  expect(await order('resume', 'media')).toMatchObject({ outcome: 'done' });
  await world.drained();
  expect(await verified('media')).toEqual({ outcome: 'equal', differences: [] });
});

const wrongs: {
  what: string;
  model: string;
  sql: (schema: string) => string;
  scope: () => Record<string, unknown>;
}[] = [
  {
    what: 'a like that nobody gave',
    model: 'likes',
    sql: (
      s,
    ) => `INSERT INTO ${s}.post_like SELECT post_id, gen_random_uuid(), true, now() + interval '1 hour', event_id
                 FROM ${s}.post_like LIMIT 1`,
    scope: () => ({ post: posts[0] }),
  },
  {
    what: 'a count that is off',
    model: 'likes',
    sql: (s) => `UPDATE ${s}.post_like_count SET likes = likes + 5`,
    scope: () => ({ post: posts[0] }),
  },
  {
    what: 'a like that is gone',
    model: 'likes',
    sql: (s) => `DELETE FROM ${s}.post_like WHERE live`,
    scope: () => ({ since: '2020-01-01T00:00:00Z' }),
  },
  {
    what: 'a caption of somebody else, and a count of posts',
    model: 'posts',
    sql: (s) =>
      `UPDATE ${s}.post SET caption = 'other', visible = false; UPDATE ${s}.author_post_count SET posts = 9`,
    scope: () => ({ user: people[0]!.id }),
  },
  {
    what: 'a follow that is gone from the feeds',
    model: 'timelines',
    sql: (s) => `DELETE FROM ${s}.timeline_follow; UPDATE ${s}.timeline_follower_count SET followers = 0`,
    scope: () => ({ user: people[0]!.id }),
  },
];

test.each(wrongs)(
  'a repair of its scope sets right $what, and nothing else is touched',
  async ({ model, sql, scope }) => {
    await world.drained();
    await world.owner.query(sql(`${model}_v${await served(model)}`));
    expect((await verified(model)).outcome).toBe('different');
    expect(await order('rebuild', model, scope())).toMatchObject({ outcome: 'done' });
    expect(await verified(model)).toEqual({ outcome: 'equal', differences: [] });
  },
);
