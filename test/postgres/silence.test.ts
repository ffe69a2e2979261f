import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { problemFrom } from '../../platform/http/problems.ts';
import { createPool, type Pool, transaction } from '../../platform/postgres/pool.ts';
import { type Door, openDoor } from '../harness/door.ts';

let door: Door;
let pool: Pool;

beforeAll(async () => {
  const url = new URL(process.env.DATABASE_URL!);
  door = await openDoor(url.host);
  url.host = door.address;
  pool = createPool(url.href, { name: 'test', max: 2, silenceMs: 300 });
});
afterAll(async () => {
  await door.close();
  await pool.end();
});
beforeEach(async () => {
  await door.shut();
  await door.open();
});

async function failureOf(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => expect.unreachable('it answered'),
    (error: Error) => error,
  );
}

it('a Postgres that says nothing is given up, as an outage', async () => {
  await pool.query('SELECT');
  door.silence();
  expect(problemFrom(await failureOf(pool.query('SELECT')))).toMatchObject({
    code: 'dependency_unavailable',
  });
});

it('a transaction that meets silence says nothing more, and its connection is not used again', async () => {
  let said: unknown[][] = [];
  const work = transaction(pool, async (client) => {
    door.silence();
    said = vi.spyOn(client, 'query').mock.calls;
    await client.query('SELECT');
  });
  expect((await failureOf(work)).message).toBe('Query read timeout');
  expect(said).toEqual([['SELECT']]);
  await door.open();
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});
