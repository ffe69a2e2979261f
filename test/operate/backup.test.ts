import { randomUUID } from 'node:crypto';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { forgetAccount } from '../../command-api/account/erase.vault.ts';
import { insertOutbox } from '../../command-api/append/outbox.ts';
import { openCodec } from '../../platform/log/codec.ts';
import { transaction } from '../../platform/postgres/pool.ts';
import { readConfig } from '../../platform/process/config.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { madeAgain, readConsumers, readHoldings, readReactors } from '../../tools/operate/backup/holdings.ts';
import { type People, peopleOf } from '../features/people.ts';
import type { Client, Person } from '../harness/client.ts';
import { expectStatus } from '../harness/client.ts';
import { event } from '../harness/events.ts';
import { readTopic } from '../harness/log.ts';
import { startWorld, type World } from '../harness/world.ts';
import { emulsion } from './cli.ts';
import { framesOf, type Moved, moveWorld, type Told } from './moved.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });
const patienceMs = 120_000;

let world: World;
let folder: string;
let file: string;
let people: People;
let ana: Person;
let ben: Person;
let cleo: Person;
/** Comes after the backup: with Postgres the key of all that is hers is lost. */
let dora: Person;
let post: string;
let other: Moved;
const database = `t${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  world = await startWorld();
  folder = mkdtempSync(path.join(tmpdir(), 'emulsion-backup-'));
  file = path.join(folder, 'backup.gz');
  people = peopleOf(world);
  [ana, ben, cleo] = await Promise.all([world.api.register(), world.api.register(), world.api.register()]);
  await world.drained(patienceMs);
  for (const fan of [ben, cleo]) await people.follow(fan, ana);
  post = await world.api.publish(ana, [await people.photo(ana)]);
  await world.drained(patienceMs);
  for (const fan of [ben, cleo]) await people.like(fan, post);
  await world.drained(patienceMs);
});
afterAll(async () => {
  await other?.close();
  await onServer(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** The keys of the environment that lead to another database of this server. */
function elsewhere(): Record<string, string> {
  const keys = Object.keys(world.env).filter((key) => key.endsWith('DATABASE_URL'));
  return Object.fromEntries(
    keys.map((key) => {
      const url = new URL(world.env[key]!);
      url.pathname = `/${database}`;
      return [key, url.href];
    }),
  );
}

const login = (api: Client, { username, password }: Person) =>
  api.call('POST', '/api/auth/login', { body: { identifier: username, password } });

const refresh = (api: Client, refreshToken: string) =>
  api.call('POST', '/api/auth/refresh', { body: { refreshToken } });

const registerAs = (api: Client, username: string) =>
  api.call('POST', '/api/auth/register', {
    headers: { 'idempotency-key': randomUUID() },
    body: {
      username,
      email: `${randomUUID()}@example.org`,
      password: 'Correct-horse-9',
      fullName: 'Somebody Else',
      dateOfBirth: '1990-05-17',
    },
  });

test('every table of the engine is kept or made again, and every schema is one or the other', async () => {
  const reactors = await readReactors(world.owner);
  expect(reactors).toMatchObject([{ model: 'stream', version: 1, schema: 'stream_v1' }]);
  const consumers = await readConsumers(world.owner, reactors);
  expect(consumers).toEqual(['stream.v1', 'media-pipeline']);
  const kept = (await readHoldings(world.owner, reactors, consumers)).map(({ table }) => table);
  const { rows } = await world.owner.query(
    `SELECT schemaname AS schema, schemaname || '.' || tablename AS "table" FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const served = await world.owner.query(
    'SELECT schema_name FROM engine.version JOIN engine.serving USING (model, version)',
  );
  const again = [...served.rows.map((row) => row.schema_name), 'served', 'public'];
  const forgotten = rows
    .filter(({ schema }) => !again.includes(schema))
    .map(({ table }) => table)
    .filter((table) => !kept.includes(table) && !madeAgain.some((name) => table === `engine.${name}`));
  expect(forgotten).toEqual([]);
});

let refreshedLater: string;
let told: Map<Person, Told[]>;
let position: string;

test('a backup is made while everything runs, for its owner alone, and never over another', async () => {
  const made = await emulsion(world.env, 'backup', '--to', file, '--json');
  expect(made).toMatchObject({ status: 0 });
  const report = JSON.parse(made.out);
  expect(report.rows).toMatchObject({ 'vault.credential': 3, 'vault.data_key': 3, 'vault.claim': 6 });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const again = await emulsion(world.env, 'backup', '--to', file);
  expect(again).toMatchObject({ status: 1 });
  expect(again.err).toContain('is there already');
  const early = await emulsion(world.env, 'restore', '--from', file);
  expect(early).toMatchObject({ status: 1 });
  expect(early.err).toContain('Services use this database');
});

test('a file that was cut or changed is refused before anything is touched', async () => {
  const cut = path.join(folder, 'cut.gz');
  copyFileSync(file, cut);
  truncateSync(cut, statSync(file).size - 100);
  const bytes = readFileSync(file);
  bytes[Math.floor(bytes.length / 2)]! ^= 1;
  const changed = path.join(folder, 'changed.gz');
  writeFileSync(changed, bytes);
  for (const broken of [cut, changed]) {
    const { status, err } = await emulsion(world.env, 'restore', '--from', broken);
    expect(status).toBe(1);
    expect(err).toContain('is not a whole backup');
  }
});

test('Postgres is lost: the backup and the log give everything back but who came since', async () => {
  // After the backup: somebody comes, people like and follow, and are told of it.
  dora = await world.api.register();
  await world.drained(patienceMs);
  await people.follow(dora, ana);
  await people.like(dora, post);
  await people.unlike(ben, post);
  await people.follow(ana, ben);
  const later = await world.api.publish(ana, [await people.photo(ana)]);
  await world.drained(patienceMs);
  await people.like(cleo, later);
  position = cleo.position!;
  const turned = await refresh(world.api, cleo.refreshToken);
  refreshedLater = turned.body.token.refreshToken;
  await world.drained(patienceMs);
  told = new Map();
  for (const person of [ana, ben, cleo]) told.set(person, await framesOf(world.services.stream, person));
  expect(told.get(ana)!.length).toBeGreaterThan(6);
  await Promise.all(Object.values(world.services).map((service) => service.stop()));

  await onServer(`CREATE DATABASE ${database}`);
  other = await moveWorld(world, 'restored', elsewhere());
  const restored = await emulsion(other.env, 'restore', '--from', file, '--json');
  expect(restored.err).toBe('');
  expect(JSON.parse(restored.out)).toMatchObject({
    rows: { 'vault.credential': 3, 'stream_v1.stream_follow': 2 },
    since: { lostAccounts: 1 },
    frames: { people: 4, forgotten: 0 },
    rebuilds: [],
  });
  await other.start();
  await other.level();
  expect(await other.differences()).toEqual([]);

  // Who was there before: the password, the tokens and the positions of before are good.
  expect((await login(other.api, ana)).status).toBe(200);
  expect((await other.api.call('GET', '/api/feed', { token: ana.token })).status).toBe(200);
  expect((await refresh(other.api, ben.refreshToken)).status).toBe(200);
  const read = await other.api.call('GET', `/api/posts/${later}`, {
    token: cleo.token,
    headers: { 'x-min-position': position },
  });
  expect(read).toMatchObject({ status: 200, body: { likeCount: 1, likedByViewer: true } });
  // A token that was given since is none, and whoever came since is not known any more.
  expect((await refresh(other.api, refreshedLater)).status).toBe(401);
  expect((await login(other.api, dora)).status).toBe(401);
  expect((await registerAs(other.api, ana.username.toUpperCase())).body.code).toBe('username_taken');
  expect((await registerAs(other.api, dora.username)).status).toBe(201);
  const claims = await emulsion(other.env, 'vault', 'rebuild-claims', '--dry-run');
  expect(claims.out).toMatch(/erased ones beside them +1\n/);
  expect(claims.out).toMatch(/missing, to write +0\n/);
});

test('nobody is told anything again under another number, and what comes next has the next one', async () => {
  for (const [person, frames] of told) {
    const now = await framesOf(other.services.stream, person);
    // Of somebody who is nobody any more nothing is told; the numbers of all else stay.
    expect(now).toEqual(frames.filter(({ data }) => !Object.values(data).includes(dora.id)));
  }
  await peopleOf({ ...world, api: other.api }).follow(cleo, ben);
  await other.level();
  const now = await framesOf(other.services.stream, ben);
  expect(now.slice(0, -1)).toEqual(told.get(ben));
  expect(now.at(-1)).toMatchObject({ type: 'user.followed', data: { followerId: cleo.id } });
});

test('a vault that has rows is left alone, unless only what is missing is put back', async () => {
  await other.stop();
  const refused = await emulsion(other.env, 'restore', '--from', file);
  expect(refused).toMatchObject({ status: 1 });
  expect(refused.err).toContain('The vault is not empty');
  await other.owner.query('DELETE FROM vault.credential WHERE user_id = $1', [ana.id]);
  await other.owner.query('DELETE FROM vault.data_key WHERE owner = $1', [ana.id]);
  const { rows: before } = await other.owner.query('SELECT count(*)::int AS accounts FROM vault.credential');
  const filled = await emulsion(other.env, 'restore', '--from', file, '--missing', '--json');
  expect(filled.err).toBe('');
  const report = JSON.parse(filled.out);
  expect(report.rows).toMatchObject({ 'vault.credential': 1, 'vault.data_key': 1, 'vault.claim': 0 });
  expect(report.rebuilds).toContain('accounts');
  const { rows: after } = await other.owner.query('SELECT count(*)::int AS accounts FROM vault.credential');
  expect(after[0].accounts).toBe(before[0].accounts + 1);
  await other.start();
  expect((await login(other.api, ana)).status).toBe(200);
  await vi.waitFor(
    async () => {
      const { rows } = await other.owner.query(
        `SELECT state FROM engine.rebuild WHERE model = 'accounts' ORDER BY version DESC LIMIT 1`,
      );
      expect(rows[0]).toEqual({ state: 'switched' });
    },
    { timeout: 180_000, interval: 500 },
  );
});

test('what waited for the log comes back with a number that is free, in its order, and makes way for what comes next', async () => {
  const later = path.join(folder, 'later.gz');
  const [eve, fay] = [await other.api.register(), await other.api.register()];
  await other.stop();
  const sql = (text: string, ...params: unknown[]) => other.owner.query(text, params);
  // Neither is known to be in the log yet; the first one lies last.
  for (const { id } of [fay, eve])
    await sql(
      'UPDATE vault.outbox SET relayed_at = NULL, partition = NULL, "offset" = NULL WHERE key = $1',
      id,
    );
  expect(await emulsion(other.env, 'backup', '--to', later)).toMatchObject({ status: 0 });
  // A vault that began anew since, and gave the number of the first to somebody else.
  const { rows } = await sql('DELETE FROM vault.outbox RETURNING key, seq::int');
  const { seq } = rows.find(({ key }) => key === eve.id);
  await sql(
    `INSERT INTO vault.outbox (seq, event_id, topic, key, value, headers, partition, "offset", relayed_at)
     OVERRIDING SYSTEM VALUE VALUES ($1, $2, 'user-events', 'somebody', '', '{}', 0, 0, now())`,
    seq,
    randomUUID(),
  );
  await sql(`SELECT setval(pg_get_serial_sequence('vault.outbox', 'seq'), $1, false)`, seq);
  const filled = await emulsion(other.env, 'restore', '--from', later, '--missing', '--json');
  expect(filled.err).toBe('');
  expect(JSON.parse(filled.out).rows).toMatchObject({ 'vault.outbox': rows.length });
  const put = await sql('SELECT key FROM vault.outbox WHERE relayed_at IS NULL ORDER BY seq');
  expect(put.rows).toEqual([{ key: eve.id }, { key: fay.id }]);
  await other.services['command-api'].start();
  expect((await registerAs(other.api, 'gustavo')).status).toBe(201);
  await vi.waitFor(
    async () => expect((await sql('SELECT FROM vault.outbox WHERE relayed_at IS NULL')).rowCount).toBe(0),
    { timeout: patienceMs, interval: 500 },
  );
  const logged = await readTopic(world.kafka, `${world.prefix}user-events`);
  for (const { id } of [eve, fay]) expect(logged.filter(({ key }) => key === id)).toHaveLength(2);
});

test('a log that is shorter than it was is not the one that goes with the backup', async () => {
  await other.stop();
  const { status, err } = await emulsion(
    { ...other.env, EMULSION_PREFIX: 'nobody.' },
    'restore',
    '--from',
    file,
    '--replace',
  );
  expect(status).toBe(1);
  expect(err).toContain('goes with the log');
});

test('everything can be thrown away for what the backup has', async () => {
  await expectAccounts(7);
  const { err, out } = await emulsion(other.env, 'restore', '--from', file, '--replace', '--json');
  expect(err).toBe('');
  expect(JSON.parse(out).rebuilds).toEqual(
    expect.arrayContaining(['accounts', 'graph', 'likes', 'media', 'posts', 'timelines']),
  );
  await expectAccounts(3);
});

test.each(['missing', 'replace'])('whose erasure still waits for the log stays erased: %s', async (mode) => {
  const gone = mode === 'missing' ? ana : cleo;
  await leaveWithoutLog(gone);
  const { err } = await emulsion(other.env, 'restore', '--from', file, `--${mode}`);
  expect(err).toBe('');
  await expectAccounts(mode === 'missing' ? 2 : 1);
  const { rows } = await other.owner.query(
    'SELECT key FROM vault.outbox WHERE relayed_at IS NULL ORDER BY seq',
  );
  expect(rows).toContainEqual({ key: gone.id });
});

test('and is erased everywhere once it comes there', async () => {
  await other.start();
  expectStatus(await login(other.api, ben), 200);
  for (const gone of [ana, cleo]) {
    expect((await login(other.api, gone)).status).toBe(401);
    await vi.waitFor(
      async () => expect((await other.api.call('GET', `/api/users/${gone.username}`)).status).toBe(404),
      { timeout: patienceMs, interval: 500 },
    );
  }
  await other.level();
  // Rows of whoever came since the backup are there until the models that were asked for are built.
  await vi.waitFor(async () => expect(await other.differences()).toEqual([]), {
    timeout: patienceMs,
    interval: 2_000,
  });
});

/** What command-api has committed when the broker is away: the log knows nothing of it. */
async function leaveWithoutLog({ id }: Person): Promise<void> {
  const { prefix, registryUrl } = readConfig(other.env);
  const codec = await openCodec<Event>({ registryUrl, prefix, catalog: eventCatalog });
  const erased = event('UserErased', { userId: id }, Date.now());
  await transaction(other.owner, async (client) => {
    await forgetAccount(client, { userId: id, eventId: erased.meta.id, time: erased.meta.time });
    await insertOutbox(client, erased.meta.id, codec.encode(erased, null));
  });
}

async function expectAccounts(accounts: number): Promise<void> {
  const { rows } = await other.owner.query('SELECT count(*)::int AS accounts FROM vault.credential');
  expect(rows[0]).toEqual({ accounts });
}
