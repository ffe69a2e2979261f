import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../tools/load/random.ts';
import type { VerifyReport } from '../../tools/verify/report.ts';
import { expectStatus, type Person } from '../harness/client.ts';
import { discardLetter } from '../harness/rulings.ts';
import { verified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';
import { type History, live } from './history.ts';
import { eventually, type People, peopleOf } from './people.ts';

const patience = 180_000;
const seed = process.env.EMULSION_TEST_SEED ?? 'feature';

let world: World;
let people: People;
let redis: Redis;
const history: History = {
  people: [],
  posts: [],
  follows: new Map(),
  likes: new Map(),
  names: new Map(),
  acts: 0,
};

beforeAll(async () => {
  world = await startWorld({
    services: ['command-api', 'query-api', 'projectors', 'media-pipeline'],
    env: { EMULSION_FANOUT_THRESHOLD: '3' },
  });
  people = peopleOf(world);
  redis = new Redis(world.env.REDIS_URL!);
  const photos = new Map<Person, string>();
  for (let i = 0; i < 6; i += 1) {
    const person = await world.api.register();
    history.people.push(person);
    photos.set(person, await people.photo(person));
    const id = await world.api.publish(person, [photos.get(person)!]);
    history.posts.push({ id, author: person, live: true });
  }
  await world.drained(patience);
  await Promise.all(
    history.people.map((person, index) =>
      live(
        world.api,
        history,
        { person, photo: photos.get(person)!, random: createRandom(`${seed} ${index}`) },
        60,
      ),
    ),
  );
  await world.drained(patience);
  await fallOut(history.people[0]!, history.people.at(-1)!);
  await comeAndGo();
  await discardLetter(world, { model: 'nobody', topic: 'like-events', partition: 0, offset: 0 });
  await world.drained(patience);
}, 300_000);
afterAll(async () => {
  redis?.disconnect();
  await world?.stop();
});

/** A block that ended again: the follows between the two are gone both ways. */
async function fallOut(one: Person, other: Person): Promise<void> {
  await people.block(one, other);
  await people.unblock(one, other);
  for (const [who, whom] of [
    [one, other],
    [other, one],
  ])
    history.follows.set(`${who!.id} ${whom!.id}`, false);
}

/** Somebody who deletes their account: every model remembers that. */
async function comeAndGo(): Promise<void> {
  const { token, password } = await world.api.register();
  expectStatus(await world.api.call('DELETE', '/api/users/me', { token, body: { password } }), 204);
}

function expectNoDifference(report: VerifyReport): void {
  expect(report.differences).toEqual([]);
  expect(report.findings).toEqual([]);
  expect(report.tables.map((table) => [table.table, table.differences, table.actual.rows > 0])).toEqual(
    report.tables.map((table) => [table.table, 0, true]),
  );
  expect([report.moving, report.feeds]).toEqual([0, { readers: history.people.length, from: 'redis' }]);
}

const standing = (edges: Map<string, boolean>, fits: (a: string, b: string) => boolean): string[] =>
  [...edges]
    .filter(([edge, on]) => on && fits(...(edge.split(' ') as [string, string])))
    .map(([edge]) => edge);

interface Served {
  model: string;
  version: number;
  schema: string;
}

async function servedModels(): Promise<Served[]> {
  const { rows } = await world.owner.query(
    'SELECT model, version, schema_name AS schema FROM engine.version JOIN engine.serving USING (model, version) ORDER BY 1',
  );
  return rows;
}

/** How feeds are served, not what they say: another at each making, and by what rounds the records came in. */
const notFacts = ['timeline_state', 'timeline_pulled'];

/** Every row of every served model as text, in order. */
async function allRows(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const { schema } of await servedModels()) {
    const tables = await world.owner.query(
      'SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1',
      [schema],
    );
    for (const { tablename } of tables.rows.filter((row) => !notFacts.includes(row.tablename))) {
      const { rows } = await world.owner.query(
        `SELECT t::text AS row FROM ${schema}.${tablename} t ORDER BY 1`,
      );
      found[`${schema}.${tablename}`] = rows.map((row) => row.row);
    }
  }
  return found;
}

async function dropModels(): Promise<void> {
  for (const { model, version, schema } of await servedModels()) {
    await world.owner.query(`DROP SCHEMA ${schema} CASCADE`);
    await world.owner.query('DELETE FROM engine.serving WHERE model = $1', [model]);
    await world.owner.query('DELETE FROM engine.version WHERE model = $1', [model]);
    await world.owner.query('DELETE FROM engine.position WHERE consumer = $1', [`${model}.v${version}`]);
  }
  const keys = await redis.keys(`${world.prefix}tl:*`);
  if (keys.length > 0) await redis.del(...keys);
}

const feeds = () => Promise.all(history.people.map((person) => people.feed(person)));

describe(`after a history of several people at once (seed ${seed})`, { timeout: patience + 60_000 }, () => {
  it('everybody’s last word stands, and every count is exact', async () => {
    expect(history.acts).toBeGreaterThan(300);
    for (const person of history.people) {
      const posts = history.posts.filter((post) => post.author === person && post.live);
      expect(await people.read(person, '/api/users/me')).toMatchObject({
        followersCount: standing(history.follows, (_, whom) => whom === person.id).length,
        followingCount: standing(history.follows, (who) => who === person.id).length,
        postsCount: posts.length,
        fullName: history.names.get(person.id) ?? `Name of ${person.username}`,
      });
    }
    for (const { id, live: isLive } of history.posts) {
      if (!isLive) {
        expect(await people.status(null, `/api/posts/${id}`)).toBe(404);
        continue;
      }
      const likes = standing(history.likes, (_, post) => post === id).map((edge) => edge.split(' ')[0]);
      expect(await people.read(null, `/api/posts/${id}`)).toMatchObject({ likeCount: likes.length });
      const listed = (await people.pages(null, `/api/posts/${id}/likes`, 2)).flat();
      expect(listed.sort()).toEqual(likes.sort());
    }
  });

  it('verify finds no difference', async () => {
    expectNoDifference(await verified(world));
  });

  it('every model can be dropped and made again, and comes out equal', async () => {
    const before = { rows: await allRows(), feeds: await feeds() };
    expect(Object.values(before.rows).every((rows) => rows.length > 0)).toBe(true);
    await world.services.projectors.stop();
    await dropModels();
    expect(await allRows()).toEqual({});
    await world.services.projectors.start();
    await world.drained(patience);
    // Readers look once a second which versions there are.
    await eventually(async () => (await people.status(history.people[0]!, '/api/feed')) === 200);
    expect(await allRows()).toEqual(before.rows);
    expect(await feeds()).toEqual(before.feeds);
    expectNoDifference(await verified(world));
  });
});
