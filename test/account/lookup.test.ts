import { afterAll, beforeAll, expect, it } from 'vitest';
import { openOwners, openPeople } from '../../command-api/account/user.state.ts';
import type { Models } from '../../command-api/guards/models.ts';
import { type Client, type Queryable, transaction } from '../../platform/postgres/pool.ts';
import { accounts } from '../../projectors/account/user.model.ts';
import { requireUser } from '../../query-api/account/user.reads.ts';
import type { Scope } from '../../query-api/scope.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

const people = 30_000;

let kit: ProjectionKit;
let schema: string;
beforeAll(async () => {
  kit = await openProjectionKit();
  ({ schema } = await kit.install(accounts));
  const stamp = 'true, now(), gen_random_uuid()';
  await kit.pool.query(
    `INSERT INTO ${schema}.person
     SELECT gen_random_uuid(), 'Name' || n, 'n' || n || '@example.org', '1990-01-01', ${stamp}
     FROM generate_series(1, ${people}) AS n;
     INSERT INTO ${schema}.profile (user_id, full_name, bio, live, event_time, event_id)
     SELECT user_id, username, '', ${stamp} FROM ${schema}.person;
     ANALYZE ${schema}.person, ${schema}.profile`,
  );
});
afterAll(() => kit?.close());

const names = ['Name7', 'name12345', 'nobody'];
const models = { schema: () => schema } as unknown as Models;
const scopeOf = (db: Queryable) => ({ db, viewerId: null, schema: () => schema }) as unknown as Scope;

/** Rows read by going through a whole table; the plans are those of a statement that is kept. */
async function readInPassing(work: (client: Client) => Promise<unknown>): Promise<number> {
  return transaction(kit.pool, async (client) => {
    await client.query('SET LOCAL plan_cache_mode = force_generic_plan');
    const before = await readSoFar(client);
    await work(client);
    return (await readSoFar(client)) - before;
  });
}

async function readSoFar(client: Client): Promise<number> {
  const { rows } = await client.query(
    'SELECT coalesce(sum(seq_tup_read), 0)::int AS read FROM pg_stat_xact_user_tables WHERE schemaname = $1',
    [schema],
  );
  return rows[0].read;
}

const idOf = async (name: string): Promise<string> =>
  (await kit.pool.query(`SELECT user_id FROM ${schema}.person WHERE username = $1`, [name])).rows[0].user_id;

it('finds somebody by name or id without reading everybody, however the query is planned', async () => {
  const id = await idOf('Name7');
  const read = await readInPassing(async (client) => {
    const byName = openPeople(client, models);
    const found = await Promise.all(names.map((name) => byName.get(name.toLowerCase(), null)));
    expect(found.map((person) => person?.userId === id)).toEqual([true, false, false]);
    expect(found[1]).toMatchObject({ live: true, privateSince: null });
    expect(found[2]).toBeNull();
    expect(await openOwners(client, models).get(id, null)).toMatchObject({ userId: id });
  });
  expect(read).toBe(0);
});

it('shows somebody by name without reading everybody', async () => {
  const read = await readInPassing((client) =>
    requireUser(scopeOf(client), 'nAME7').then(({ username }) => expect(username).toBe('Name7')),
  );
  expect(read).toBe(0);
});
