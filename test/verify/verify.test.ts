import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { timelineKeys } from '../../schemas/content/timeline.keys.ts';
import { verified } from '../harness/verified.ts';
import { type Life, startLife } from './life.ts';

let life: Life;
let redis: Redis;

beforeAll(async () => {
  life = await startLife();
  redis = new Redis(life.world.env.REDIS_URL!);
}, 180_000);

afterAll(async () => {
  redis?.disconnect();
  await life?.world.stop();
});

const query = (sql: string, values: unknown[] = []) => life.world.owner.query(sql, values);

describe('verify', () => {
  it('finds the same with next to no memory: what does not fit goes to the disk, and is gone afterwards', async () => {
    const once = await verified(life.world);
    const little = await verified(life.world, { memory: 16_384 });
    expect(little).toMatchObject({ equal: true, feeds: { from: 'redis' } });
    expect(Math.max(...little.models.map(({ buckets }) => buckets))).toBeGreaterThan(2);
    expect(little.tables).toEqual(once.tables);
  });

  it('shows nothing that people wrote', async () => {
    await query(`UPDATE posts_v1.post SET caption = caption || '!' WHERE post_id = $1`, [life.annsPost]);
    const report = await verified(life.world, { models: ['posts'] });
    await query('UPDATE posts_v1.post SET caption = left(caption, -1) WHERE post_id = $1', [life.annsPost]);
    expect(report.differences).toMatchObject([
      { table: 'post', columns: ['caption'], expected: { caption: expect.stringContaining('personal, 11') } },
    ]);
    expect(JSON.stringify(report.differences)).not.toContain('Seen by Ben');
  });

  it('says which table it knows nothing of', async () => {
    await query('CREATE TABLE likes_v1.unheard_of (id int)');
    const report = await verified(life.world, { models: ['likes'] });
    await query('DROP TABLE likes_v1.unheard_of');
    expect(report.findings).toEqual([
      expect.stringContaining('unheard_of is a table that verify knows nothing of'),
    ]);
    expect(report.equal).toBe(false);
  });

  it('answers from the tables when Redis has lost the timelines, and says so', async () => {
    const key = timelineKeys(life.world.prefix, 1).epoch;
    const epoch = await redis.get(key);
    // Otherwise they would have made them again before verify looks.
    life.world.services.projectors.signal('SIGSTOP');
    await redis.del(key);
    const report = await verified(life.world, { models: ['timelines'] });
    if (epoch) await redis.set(key, epoch, 'NX');
    life.world.services.projectors.signal('SIGCONT');
    expect(report).toMatchObject({ equal: true, feeds: { from: 'postgres' } });
  });

  it('reads a system that is being written to', async () => {
    const { api } = life.world;
    let running = true;
    const writer = (async () => {
      for (let i = 0; running; i += 1) {
        const method = i % 2 === 0 ? 'POST' : 'DELETE';
        await api.as(life.cat, method, `/api/users/${life.ann.username}/follow`);
        await api.as(life.cat, method, `/api/posts/${life.annsPost}/like`);
      }
    })();
    try {
      for (let time = 0; time < 3; time += 1)
        expect(await verified(life.world)).toMatchObject({ equal: true, differences: [] });
    } finally {
      running = false;
      await writer;
      await life.world.drained();
    }
  });
});

/** A round of the timelines that is written to the tables, and whose position is not saved yet. */
describe('rows that are ahead of their position', () => {
  type Edge = { partition: number; position: string };
  let edge: Edge;
  const back = (by: number) =>
    query(
      `UPDATE engine.position SET position = position - $1
       WHERE consumer = 'timelines.v1' AND topic = 'follow-events' AND partition = $2`,
      [by, edge.partition],
    );

  beforeAll(async () => {
    const { world, cat, ann } = life;
    const follow = (method: string) => world.api.as(cat, method, `/api/users/${ann.username}/follow`);
    for (const method of ['POST', 'DELETE', 'POST']) await follow(method);
    await world.drained();
    await world.services.projectors.stop();
    const { rows } = await query(
      `SELECT partition, position FROM engine.position WHERE consumer = 'timelines.v1' AND topic = 'follow-events'
       ORDER BY position DESC LIMIT 1`,
    );
    edge = rows[0];
  });

  it('are compared with as much of the log as they show', async () => {
    await back(2);
    const report = await verified(life.world, { models: ['timelines'] });
    await back(-2);
    expect(report).toMatchObject({ equal: true, differences: [], moving: 0 });
    expect(report.models[0]!.positions[`follow-events/${edge.partition}`]).toBe(Number(edge.position));
  });

  it('are a difference when the log never said so', async () => {
    await back(2);
    await query(
      'UPDATE timelines_v1.timeline_follow SET event_id = gen_random_uuid() WHERE follower_id = $1',
      [life.cat.id],
    );
    const report = await verified(life.world, { models: ['timelines'] });
    await back(-2);
    expect(report.differences.map(({ table }) => table)).toContain('timeline_follow');
  });
});
