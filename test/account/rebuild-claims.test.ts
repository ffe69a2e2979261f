import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rebuildClaims } from '../../tools/operate/rebuild-claims.ts';
import { openWriter, untilParked, type Writer } from '../dead-letters/stage.ts';
import type { Person } from '../harness/client.ts';
import { event, nth } from '../harness/events.ts';
import { discardLetter } from '../harness/rulings.ts';
import { startWorld, type World } from '../harness/world.ts';

let world: World;
let writer: Writer;
beforeAll(async () => {
  world = await startWorld({ services: ['command-api', 'projectors'] });
  writer = await openWriter(world);
});
afterAll(async () => {
  await writer?.close();
  await world?.stop();
});

async function claims(): Promise<unknown[]> {
  const { rows } = await world.owner.query(
    `SELECT kind, encode(value_hmac, 'hex') AS value, user_id FROM vault.claim ORDER BY 1, 2`,
  );
  return rows;
}

test('lost claims come back from the log, those without an event go, and a name is free or taken as before', async () => {
  const people: Person[] = [];
  for (let i = 0; i < 3; i += 1) people.push(await world.api.register());
  const before = await claims();
  expect(before).toHaveLength(6);
  await world.owner.query('DELETE FROM vault.claim WHERE user_id = $1', [people[0]!.id]);
  await world.owner.query(
    `INSERT INTO vault.claim (kind, value_hmac, user_id, claimed_at)
     VALUES ('username', decode('00', 'hex'), $1, now() - interval '1 day')`,
    [randomUUID()],
  );

  const dry = await rebuildClaims(world.env, { write: false });
  expect(dry).toMatchObject({ accounts: 3, missing: 2, stale: 1, conflicts: 0 });
  expect(await claims()).toHaveLength(5);

  expect(await rebuildClaims(world.env, { write: true })).toMatchObject({ missing: 2, stale: 1 });
  expect(await claims()).toEqual(before);
  expect(await rebuildClaims(world.env, { write: true })).toMatchObject({ missing: 0, stale: 0 });

  const taken = await world.api.call('POST', '/api/auth/register', {
    headers: { 'idempotency-key': randomUUID() },
    body: {
      username: people[0]!.username.toUpperCase(),
      email: 'another@example.org',
      password: 'Correct-horse-9',
      fullName: 'Another Person',
      dateOfBirth: '1990-05-17',
    },
  });
  expect(taken).toMatchObject({ status: 409, body: { code: 'username_taken' } });
});

const registered = (userId: string) => {
  const names = { username: userId, email: `${userId}@example.org`, fullName: 'Somebody' };
  return event('UserRegistered', { userId, ...names, dateOfBirth: '1990-05-17', gender: null }, Date.now());
};

test('what can not be read is counted, and leaves the claims of its key alone until an operator discards it', async () => {
  const headers = { ce_id: '', ce_type: 'UserRegistered', traceparent: '' };
  const unknown = nth(1);
  // Not under the data key that the owner has.
  const sealed = writer.codec.encode(registered(nth(2)), Buffer.alloc(32, 7));
  await writer.append(registered(nth(2)));
  await writer.appendRaw({ topic: 'user-events', key: unknown, value: Buffer.from('garbage'), headers });
  await writer.appendRaw(sealed);
  await writer.append(registered('no uuid'));
  const parked = await untilParked(world, 'accounts.v1', 3);
  await world.owner.query(
    `INSERT INTO vault.claim (kind, value_hmac, user_id, claimed_at)
     VALUES ('username', decode('00', 'hex'), $1, now() - interval '1 day')`,
    [unknown],
  );
  expect(await rebuildClaims(world.env, { write: false })).toMatchObject({
    accounts: 4,
    unread: 3,
    missing: 2,
    stale: 0,
  });
  for (const { topic, partition, offset } of parked)
    await discardLetter(world, { model: 'accounts', topic, partition, offset });
  expect(await rebuildClaims(world.env, { write: false })).toMatchObject({
    accounts: 4,
    unread: 0,
    missing: 2,
    stale: 1,
  });
});
