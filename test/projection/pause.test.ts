import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { expectStatus, type Person } from '../harness/client.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';

let world: World;
let ann: Person;
let post: string;
beforeAll(async () => {
  world = await startWorld({ services: ['command-api', 'query-api', 'projectors', 'media-pipeline'] });
  ann = await world.api.register();
  post = await world.api.publish(ann, [await world.api.upload(ann)]);
  await world.drained();
}, 120_000);
afterAll(() => world?.stop());

const patience = { timeout: 90_000, interval: 100 };

async function like(): Promise<Person> {
  const fan = await world.api.register();
  expectStatus(await world.api.as(fan, 'POST', `/api/posts/${post}/like`), 200);
  return fan;
}

const halt = () =>
  world.owner.query(`INSERT INTO engine.pause (model, paused_by) VALUES ('likes', 'a test')`);
const resume = () => world.owner.query('DELETE FROM engine.pause');

async function statesOf(consumer: string): Promise<string[]> {
  const { rows } = await world.owner.query('SELECT state FROM engine.member WHERE consumer = $1', [consumer]);
  return rows.map((row) => row.state);
}

/** Applied likes by the position of the model, and by the count that readers are shown. */
async function applied(): Promise<number> {
  const { rows } = await world.owner.query(
    `SELECT sum(position)::int AS sum FROM engine.position WHERE (consumer, topic) = ('likes.v1', 'like-events')`,
  );
  return rows[0].sum;
}

async function shown(): Promise<number> {
  return (await world.api.call('GET', `/api/posts/${post}`)).body.likeCount;
}

/** Every partition was assigned anew so often: what a process says of itself may be from before that. */
async function claimedTimes(times: number): Promise<void> {
  await vi.waitFor(async () => {
    const { rows } = await world.owner.query(
      `SELECT FROM engine.position WHERE consumer = 'likes.v1' AND generation < $1`,
      [times],
    );
    expect(rows).toEqual([]);
  }, patience);
}

test('a paused model stands still through joins and all else goes on; it goes on where it stood', async () => {
  await like();
  await world.drained();
  await halt();
  await vi.waitFor(async () => expect(await statesOf('likes.v1')).toEqual(['paused']), patience);

  const fan = await like();
  const answer = await world.api.call('GET', `/api/posts/${post}`, {
    token: fan.token,
    headers: { 'x-min-position': fan.position! },
  });
  expect(answer.body).toMatchObject({ code: 'position_timeout' });
  expect(answer.body.detail).toContain('likes is paused');
  expect((await world.api.call('GET', '/api/users/me', { token: fan.token })).status).toBe(200);

  // Another process joins, so that every partition is assigned anew, and the first one dies.
  const second = await world.another('projectors');
  await second.start();
  await vi.waitFor(async () => expect(await statesOf('likes.v1')).toEqual(['paused', 'paused']), patience);
  await claimedTimes(2);
  await like();
  world.services.projectors.signal('SIGKILL');
  await world.services.projectors.ended();
  await world.services.projectors.start();
  await like();
  await claimedTimes(3);
  expect([await applied(), await shown()]).toEqual([1, 1]);

  await resume();
  await world.drained(90_000);
  expect([await applied(), await shown()]).toEqual([4, 4]);
  await vi.waitFor(async () => expect(new Set(await statesOf('likes.v1'))).toContain('running'), patience);
  await expectVerified(world);
}, 300_000);
