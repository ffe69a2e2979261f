import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { timelineKeys } from '../../schemas/content/timeline.keys.ts';
import { isEqual, type VerifyReport, verify } from '../../tools/verify/verify.ts';
import { openWorld } from '../../tools/verify/world.ts';
import { expectStatus, type Person } from '../harness/client.ts';
import { discardLetter } from '../harness/rulings.ts';
import { startWorld, type World } from '../harness/world.ts';

let world: World;
let redis: Redis;
let ann: Person;
let ben: Person;
let cat: Person;
let post: string;

beforeAll(async () => {
  world = await startWorld({ services: ['command-api', 'query-api', 'projectors', 'media-pipeline'] });
  redis = new Redis(world.env.REDIS_URL!);
  await liveALittle();
}, 180_000);

afterAll(async () => {
  redis?.disconnect();
  await world?.stop();
});

/** Something in every table: live rows, tombstones, a photograph that was refused, a post that is gone. */
async function liveALittle(): Promise<void> {
  const { api } = world;
  [ann, ben, cat] = [await api.register(), await api.register(), await api.register()];
  await world.drained();
  const follow = (who: Person, whom: Person) => api.as(who, 'POST', `/api/users/${whom.username}/follow`);
  // Command-api looks once a second for models that are served: a world that has just begun may not have them yet.
  await vi.waitFor(async () => expectStatus(await follow(ben, ann), 200), { timeout: 10_000 });
  for (const answer of [await follow(cat, ann), await follow(ann, cat)]) expectStatus(answer, 200);
  expectStatus(await api.as(cat, 'DELETE', `/api/users/${ann.username}/follow`), 200);
  const photo = await api.upload(ann);
  await api.upload(cat, Buffer.from('this is not a photograph'));
  post = await api.publish(ann, [photo], 'Seen by Ben');
  const gone = await api.publish(ann, [photo], 'Seen by nobody');
  await world.drained();
  expectStatus(await api.as(ann, 'DELETE', `/api/posts/${gone}`), 204);
  expectStatus(await api.as(ben, 'POST', `/api/posts/${post}/like`), 200);
  expectStatus(await api.as(cat, 'POST', `/api/posts/${post}/like`), 200);
  expectStatus(await api.as(cat, 'DELETE', `/api/posts/${post}/like`), 200);
  await discardLetter(world, { model: 'nobody', topic: 'like-events', partition: 0, offset: 0 });
  await world.drained();
}

async function run(options: { models?: string[]; buckets?: number } = {}): Promise<VerifyReport> {
  const opened = await openWorld(world.env);
  try {
    return await verify(opened, { models: options.models ?? [], buckets: options.buckets });
  } finally {
    await opened.close();
  }
}

async function schemaOf(model: string): Promise<string> {
  const { rows } = await world.owner.query('SELECT schema_name FROM engine.version WHERE model = $1', [
    model,
  ]);
  return rows[0].schema_name;
}

describe('verify', () => {
  it('finds no difference where there is none, whatever the number of passes', async () => {
    const once = await run();
    expect(once.findings).toEqual([]);
    expect(once.differences).toEqual([]);
    expect(isEqual(once)).toBe(true);
    expect(once.feeds).toMatchObject({ from: 'redis' });
    expect(
      once.tables.every((table) => table.actual.rows > 0),
      JSON.stringify(once.tables.filter((table) => table.actual.rows === 0).map((table) => table.table)),
    ).toBe(true);
    const inThree = await run({ buckets: 3 });
    expect(isEqual(inThree)).toBe(true);
    const sums = (report: VerifyReport) => report.tables.map((t) => [t.table, t.actual.rows, t.actual.sum]);
    expect(sums(inThree)).toEqual(sums(once));
  });

  const planted: [model: string, table: string, what: string, sql: string][] = [
    ['accounts', 'person', 'changed', `UPDATE $.person SET username = 'somebody' WHERE user_id = '@ann'`],
    ['accounts', 'profile', 'missing', `DELETE FROM $.profile WHERE user_id = '@ann'`],
    ['graph', 'follow', 'brought back', 'UPDATE $.follow SET live = true WHERE NOT live'],
    [
      'graph',
      'follow_count',
      'changed',
      `UPDATE $.follow_count SET followers = followers + 1 WHERE user_id = '@ann'`,
    ],
    [
      'likes',
      'post_like',
      'at another time',
      `UPDATE $.post_like SET event_time = event_time + interval '1 ms' WHERE live`,
    ],
    ['likes', 'post_like_count', 'missing', 'DELETE FROM $.post_like_count'],
    ['posts', 'post', 'hidden', `UPDATE $.post SET visible = false WHERE visible`],
    ['posts', 'post_media', 'missing', 'DELETE FROM $.post_media WHERE live'],
    ['posts', 'author_post_count', 'changed', 'UPDATE $.author_post_count SET posts = 7'],
    ['media', 'media', 'with other variants', `UPDATE $.media SET variants = '[]' WHERE state = 'ready'`],
    [
      'timelines',
      'timeline_follow',
      'by another event',
      'UPDATE $.timeline_follow SET event_id = gen_random_uuid() WHERE live',
    ],
    [
      'timelines',
      'timeline_post',
      'that nobody wrote',
      `INSERT INTO $.timeline_post VALUES (gen_random_uuid(), '@ann', true, now(), gen_random_uuid())`,
    ],
    ['timelines', 'timeline_follower_count', 'missing', 'DELETE FROM $.timeline_follower_count'],
    ['rulings', 'ruling', 'changed', `UPDATE $.ruling SET verdict = 'edited'`],
  ];

  it.each(planted)(
    '%s: finds a row of %s %s, with the events that made it',
    async (model, table, what, sql) => {
      const schema = await schemaOf(model);
      await world.owner.query('CREATE TABLE public.kept AS TABLE '.concat(`${schema}.${table}`));
      try {
        await world.owner.query(sql.replaceAll('$', schema).replaceAll('@ann', ann.id));
        const report = await run({ models: [model] });
        expect(isEqual(report)).toBe(false);
        expect(report.tables.find((t) => t.table === table)?.differences).toBeGreaterThan(0);
        expect(report.tables.filter((t) => t.differences > 0).map((t) => t.table)).toEqual([table]);
        const causes = report.differences[0]!.events;
        expect(causes.length > 0).toBe(what !== 'that nobody wrote');
      } finally {
        await world.owner.query(`TRUNCATE ${schema}.${table}`);
        await world.owner.query(`INSERT INTO ${schema}.${table} SELECT * FROM public.kept`);
        await world.owner.query('DROP TABLE public.kept');
      }
    },
  );

  const spoilt: [what: string, spoil: (key: string) => Promise<unknown>, differences: number][] = [
    ['an entry that is missing', (key) => redis.zremrangebyrank(key, 0, 0), 1],
    ['an entry at another time', (key) => redis.zadd(key, 1, `${post}:${ann.id}`), 1],
    ['an entry too many', (key) => redis.zadd(key, 1, `01890000-0000-7000-8000-000000000000:${cat.id}`), 1],
    ['a whole timeline that is gone', (key) => redis.del(key), 1],
  ];

  it.each(spoilt)('finds %s in what a feed is served from', async (_what, spoil, differences) => {
    const key = timelineKeys(world.prefix, 1).timeline(ben.id);
    const kept = await redis.zrange(key, '0', '-1', 'WITHSCORES');
    await spoil(key);
    const report = await run({ models: ['timelines'] });
    await redis.del(key);
    for (let i = 0; i < kept.length; i += 2) await redis.zadd(key, kept[i + 1]!, kept[i]!);
    const feed = report.tables.find((table) => table.table === 'home_feed')!;
    expect(feed.differences).toBe(differences);
    expect(report.differences[0]!.key.startsWith(ben.id)).toBe(true);
  });

  it('shows nothing that people wrote', async () => {
    const schema = await schemaOf('posts');
    await world.owner.query(`UPDATE ${schema}.post SET caption = caption || '!' WHERE live`);
    const report = await run({ models: ['posts'] });
    await world.owner.query(`UPDATE ${schema}.post SET caption = left(caption, -1) WHERE live`);
    expect(report.differences).toHaveLength(1);
    expect(JSON.stringify(report.differences)).not.toContain('Seen by Ben');
  });

  it('says which table it knows nothing of', async () => {
    const schema = await schemaOf('likes');
    await world.owner.query(`CREATE TABLE ${schema}.unheard_of (id int)`);
    const report = await run({ models: ['likes'] });
    await world.owner.query(`DROP TABLE ${schema}.unheard_of`);
    expect(report.findings).toEqual([
      expect.stringContaining('unheard_of is a table that verify knows nothing of'),
    ]);
    expect(isEqual(report)).toBe(false);
  });

  it('answers from the tables when Redis has lost the timelines, and says so', async () => {
    const key = timelineKeys(world.prefix, 1).epoch;
    const epoch = await redis.get(key);
    await redis.del(key);
    const report = await run({ models: ['timelines'] });
    if (epoch) await redis.set(key, epoch, 'NX');
    expect(report.feeds?.from).toBe('postgres');
    expect(isEqual(report)).toBe(true);
  });

  it('takes what is ahead of the saved positions for movement, not for a difference', async () => {
    await world.services.projectors.stop();
    const back = (by: number) =>
      world.owner.query(
        `UPDATE engine.position SET position = position - $1
         WHERE consumer = 'timelines.v1' AND position > 1 AND topic = 'follow-events'`,
        [by],
      );
    await back(1);
    const report = await run({ models: ['timelines'] });
    await back(-1);
    await world.services.projectors.start();
    expect(report.moving).toBeGreaterThan(0);
    expect(report.differences).toEqual([]);
    expect(isEqual(report)).toBe(true);
  });

  it('reads a system that is being written to', async () => {
    const { api } = world;
    let running = true;
    const writer = (async () => {
      for (let i = 0; running; i += 1) {
        const method = i % 2 === 0 ? 'POST' : 'DELETE';
        await api.as(cat, method, `/api/users/${ann.username}/follow`);
        await api.as(cat, method, `/api/posts/${post}/like`);
      }
    })();
    try {
      const report = await run();
      expect(report.differences).toEqual([]);
      expect(isEqual(report)).toBe(true);
    } finally {
      running = false;
      await writer;
    }
  });
});
