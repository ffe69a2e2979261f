import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { timelineKeys } from '../../schemas/content/timeline.keys.ts';
import { verified } from '../harness/verified.ts';
import { type Life, startLife } from './life.ts';
import { changedColumn, kinds, type Plant, type Table, tablesOf } from './plants.ts';

let life: Life;
let tables: Table[];
const planted = new Map<string, number>();

beforeAll(async () => {
  life = await startLife();
  tables = await tablesOf(life.world.owner);
  await keep();
}, 180_000);

afterAll(async () => {
  await life?.world.stop();
});

const query = (sql: string) => life.world.owner.query(sql);
const nameOf = ({ model, name }: Table): string => `${model}.${name}`;

/** Tables of several models have one name. */
const keptOf = ({ schema, name }: Table): string => `kept.${schema}_${name}`;

async function keep(): Promise<void> {
  await query('CREATE SCHEMA kept');
  for (const t of tables) await query(`CREATE TABLE ${keptOf(t)} AS TABLE ${t.schema}.${t.name}`);
}

async function restore(): Promise<void> {
  for (const t of tables) {
    await query(`TRUNCATE ${t.schema}.${t.name}`);
    await query(`INSERT INTO ${t.schema}.${t.name} SELECT * FROM ${keptOf(t)}`);
  }
}

/** Plants one wrong row in every table that can have it, and expects verify to find exactly those. */
async function plantAndFind(plant: Plant): Promise<void> {
  const wrong: string[] = [];
  try {
    for (const t of tables) {
      const sql = plant(t);
      if (sql && (await query(sql)).rowCount === 1) wrong.push(nameOf(t));
    }
    expect(wrong.length).toBeGreaterThan(0);
    const report = await verified(life.world);
    const found = report.tables.filter((t) => t.differences > 0);
    expect(Object.fromEntries(found.map((t) => [`${t.model}.${t.table}`, t.differences]))).toEqual(
      Object.fromEntries(wrong.map((name) => [name, 1])),
    );
    expect(report.findings).toEqual([]);
    expect(report.equal).toBe(false);
    // A row that no event made is the one that has none behind it.
    const unexplained = report.differences.filter(({ events }) => events.length === 0);
    expect(unexplained.every(({ expected }) => expected === null)).toBe(true);
    for (const name of wrong) planted.set(name, (planted.get(name) ?? 0) + 1);
  } finally {
    await restore();
  }
}

describe('verify finds a planted wrong row in every table', () => {
  it('of a world that has rows in all of them and no difference', async () => {
    const report = await verified(life.world);
    expect(report).toMatchObject({ equal: true, findings: [], differences: [], moving: 0, erased: 0 });
    const counts = report.tables.map((t) => [`${t.model}.${t.table}`, t.actual.rows] as const);
    expect(counts.filter(([, rows]) => rows === 0)).toEqual([]);
    expect(counts.map(([name]) => name).sort()).toEqual(
      [...tables.map(nameOf), 'timelines.home_feed'].sort(),
    );
  });

  it.each(kinds)('%s', async (_kind, plant) => {
    await plantAndFind(plant);
  });

  it('another value in each column', async () => {
    const most = Math.max(...tables.filter((t) => t.isRegister).map((t) => t.columns.length));
    for (let n = 0; n < most; n += 1) await plantAndFind(changedColumn(n));
  }, 120_000);

  it('and none was left out', () => {
    // Of every table a missing row, an extra one and one that is changed at the least.
    for (const t of tables) expect(planted.get(nameOf(t)) ?? 0, nameOf(t)).toBeGreaterThan(3);
  });
});

describe('verify finds what is wrong in the feeds that Redis serves', () => {
  let redis: Redis;
  beforeAll(() => {
    redis = new Redis(life.world.env.REDIS_URL!);
  });
  afterAll(() => {
    redis?.disconnect();
  });

  const timeline = (reader: string) => timelineKeys(life.world.prefix, 1).timeline(reader);
  const nobody = '01890000-0000-7000-8000-000000000000';
  const entry = (post: string, author: { id: string }) => `${post}:${author.id}`;
  type Spoil = (of: Life) => { reader: string; spoil(key: string): Promise<unknown> };

  const spoilt: [kind: string, spoil: Spoil][] = [
    [
      'an entry that is missing',
      (l) => ({ reader: l.ben.id, spoil: (key) => redis.zremrangebyrank(key, 0, 0) }),
    ],
    [
      'an entry in another place',
      (l) => ({ reader: l.ben.id, spoil: (key) => redis.zadd(key, 1, entry(l.catsPost, l.cat)) }),
    ],
    [
      'an entry under another author',
      (l) => ({
        reader: l.ben.id,
        async spoil(key) {
          const at = await redis.zscore(key, entry(l.catsPost, l.cat));
          await redis.zrem(key, entry(l.catsPost, l.cat));
          await redis.zadd(key, at!, entry(l.catsPost, l.ann));
        },
      }),
    ],
    [
      'an entry of a post that nobody published',
      (l) => ({ reader: l.ben.id, spoil: (key) => redis.zadd(key, 1, entry(nobody, l.cat)) }),
    ],
    [
      'a post of somebody who is followed no more',
      (l) => ({ reader: l.cat.id, spoil: (key) => redis.zadd(key, 1, entry(l.annsPost, l.ann)) }),
    ],
    [
      'a deleted post of an author who is pulled',
      (l) => ({ reader: l.ben.id, spoil: (key) => redis.zadd(key, 1, entry(l.gonePost, l.ann)) }),
    ],
    ['a timeline that is gone', (l) => ({ reader: l.ben.id, spoil: (key) => redis.del(key) })],
    [
      'a timeline of nobody',
      (l) => ({ reader: nobody, spoil: (key) => redis.zadd(key, 1, entry(l.catsPost, l.cat)) }),
    ],
  ];

  it.each(spoilt)('%s', async (_kind, plan) => {
    const { reader, spoil } = plan(life);
    const kept = await redis.zrange(timeline(reader), '0', '-1', 'WITHSCORES');
    try {
      await spoil(timeline(reader));
      const report = await verified(life.world, { models: ['timelines'] });
      expect(report.tables.filter((t) => t.differences > 0)).toMatchObject([
        { table: 'home_feed', differences: 1 },
      ]);
      expect(report.differences[0]!.key.startsWith(reader)).toBe(true);
    } finally {
      await redis.del(timeline(reader));
      for (let i = 0; i < kept.length; i += 2) await redis.zadd(timeline(reader), kept[i + 1]!, kept[i]!);
    }
  });

  it('an author whom nobody pulls, though her posts were not fanned out', async () => {
    await query('CREATE TABLE kept.pulled AS TABLE timelines_v1.timeline_pulled');
    await query('DELETE FROM timelines_v1.timeline_pulled');
    const report = await verified(life.world, { models: ['timelines'] });
    await query('INSERT INTO timelines_v1.timeline_pulled SELECT * FROM kept.pulled');
    // Ben, Dan and Eve would not see her post.
    expect(report.differences.map(({ expected }) => expected?.post_id)).toEqual(
      Array.from({ length: 3 }, () => life.annsPost),
    );
  });

  it('and nothing in an entry that is pulled and fanned out too: it is served once', async () => {
    const { ben, ann, annsPost } = life;
    const { rows } = await life.world.owner.query(
      `SELECT (extract(epoch FROM event_time) * 1000)::bigint AS at FROM timelines_v1.timeline_post
       WHERE post_id = $1`,
      [annsPost],
    );
    await redis.zadd(timeline(ben.id), rows[0].at, entry(annsPost, ann));
    expect(await verified(life.world, { models: ['timelines'] })).toMatchObject({ equal: true });
    await redis.zrem(timeline(ben.id), entry(annsPost, ann));
  });
});
