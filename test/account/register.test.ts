import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPasswords } from '../../command-api/account/passwords.ts';
import { type RegisterShell, registerAccount } from '../../command-api/account/register.ts';
import { openClock } from '../../command-api/append/clock.ts';
import { openRelay } from '../../command-api/append/relay.ts';
import { openIdempotency } from '../../command-api/guards/idempotency.ts';
import { openAppender } from '../../platform/log/appender.ts';
import { openCodec } from '../../platform/log/codec.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { type LoggedEngine, openLoggedEngine } from '../harness/logged.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
let logged: LoggedEngine;
let shell: RegisterShell;
const closing: (() => Promise<void>)[] = [];
beforeAll(async () => {
  kit = await openProjectionKit();
  logged = await openLoggedEngine(kit);
  const { kafka, prefix, partitions, log, master } = logged.engine;
  const registryUrl = process.env.SCHEMA_REGISTRY_URL!;
  const codec = await openCodec<Event>({ registryUrl, catalog: eventCatalog, prefix });
  const { pool } = kit;
  const appender = await openAppender({ kafka, prefix, partitions, log });
  const relay = openRelay({ pool, appender, log });
  closing.push(relay.close, appender.close);
  shell = {
    ...{ pool, master, codec, relay, clock: openClock(Date.now) },
    ...{ idempotency: openIdempotency(pool, master), passwords: await openPasswords() },
  };
});
afterAll(async () => {
  for (const close of closing) await close();
  await logged?.close();
  await kit?.close();
});

const register = (username: string, email: string, idempotencyKey = randomUUID()) => {
  const command = { username, email, fullName: 'Somebody', dateOfBirth: '1990-05-17', gender: null };
  const request = {
    route: 'register',
    actor: '',
    idempotencyKey,
    position: null,
    correlation: '1'.repeat(32),
  };
  return registerAccount(shell, { ...request, content: command }, command, 'Correct-horse-9');
};

/** How many rows of each kind the vault has. */
async function vault(): Promise<Record<string, number>> {
  const { rows } = await kit.pool.query(
    `SELECT (SELECT count(*)::int FROM vault.claim) AS claims, (SELECT count(*)::int FROM vault.credential) AS passwords,
       (SELECT count(*)::int FROM vault.data_key) AS keys, (SELECT count(*)::int FROM vault.outbox) AS events`,
  );
  return rows[0];
}
const account = { claims: 2, passwords: 1, keys: 1, events: 1 };
const oneMoreThan = (before: Record<string, number>) =>
  Object.fromEntries(Object.entries(account).map(([kind, n]) => [kind, before[kind]! + n]));

it('an account is two claims, a password, a key and an event', async () => {
  expect(await register('ana', 'ana@example.org')).toMatchObject({
    created: true,
    body: { username: 'ana' },
  });
  expect(await vault()).toEqual(account);
});

it('a name that is taken, in any case, leaves the other name free and nothing behind', async () => {
  const before = await vault();
  const refusals = [
    [register('ANA', 'other@example.org'), 'username_taken'],
    [register('other', 'Ana@Example.ORG'), 'email_taken'],
  ] as const;
  for (const [refused, code] of refusals) await expect(refused).rejects.toMatchObject({ code, status: 409 });
  expect(await vault()).toEqual(before);
  expect(await register('other', 'other@example.org')).toMatchObject({ created: true });
});

it('of a registration whose commit fails nothing is there, and its repeat makes the account', async () => {
  await kit.pool.query(`
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
    CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON vault.credential DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION public.refuse()`);
  const before = await vault();
  const key = randomUUID();
  await expect(register('cleo', 'cleo@example.org', key)).rejects.toThrow();
  expect(await vault()).toEqual(before);
  await kit.pool.query('DROP TRIGGER refuse ON vault.credential');
  expect(await register('cleo', 'cleo@example.org', key)).toMatchObject({ created: true });
  expect(await vault()).toEqual(oneMoreThan(before));
});

it('of a hundred at once with one name in letters of any case one has it', async () => {
  const before = await vault();
  const names = Array.from({ length: 100 }, (_, n) => (n % 2 ? 'Dora' : 'dORA'));
  const answers = await Promise.allSettled(names.map((name, n) => register(name, `dora${n}@example.org`)));
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await vault()).toEqual(oneMoreThan(before));
});
