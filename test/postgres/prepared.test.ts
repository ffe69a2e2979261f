import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client, Queryable } from '../../platform/postgres/pool.ts';
import { prepared } from '../../platform/postgres/prepared.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
let client: Client;
let db: Queryable;
beforeAll(async () => {
  kit = await openProjectionKit();
  client = await kit.pool.connect();
  db = prepared(client as unknown as Queryable);
});
afterAll(async () => {
  client?.release(true);
  await kit?.close();
});

const known = async (): Promise<string[]> => {
  const { rows } = await client.query('SELECT statement FROM pg_prepared_statements ORDER BY prepare_time');
  return rows.map((row) => row.statement);
};

it('a statement with parameters is prepared by its text, once a connection, and answers as ever', async () => {
  const twice = 'SELECT $1::int * 2 AS twice';
  const thrice = 'SELECT $1::int * 3 AS thrice';
  expect((await db.query(twice, [1])).rows).toEqual([{ twice: 2 }]);
  expect((await db.query(twice, [4])).rows).toEqual([{ twice: 8 }]);
  expect((await db.query(thrice, [4])).rows).toEqual([{ thrice: 12 }]);
  expect(await known()).toEqual([twice, thrice]);
});

it('one without is asked as it is', async () => {
  const before = await known();
  expect((await db.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  expect(await known()).toEqual(before);
});

it('a statement that Postgres refuses is told each time', async () => {
  const wrong = 'SELECT $1::int / 0';
  await expect(db.query(wrong, [1])).rejects.toMatchObject({ code: '22012' });
  await expect(db.query(wrong, [1])).rejects.toMatchObject({ code: '22012' });
});
