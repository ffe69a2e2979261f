import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { modelTopics } from '../../schemas/models.ts';
import { openWriter } from '../dead-letters/stage.ts';
import { eventually, type People, peopleOf } from '../features/people.ts';
import { type Answer, expectStatus, type Person } from '../harness/client.ts';
import { event } from '../harness/events.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';
import { emulsion } from '../operate/cli.ts';
import { type Moved, moveWorld } from '../operate/moved.ts';
import { connect } from '../stream/stage.ts';
import { appendLate, captionOf, type Leaver, registerLeaver } from './leaver.ts';
import { openObjects, type StoredObjects, searchLog, searchPostgres, searchRedis } from './search.ts';

vi.setConfig({ testTimeout: 400_000, hookTimeout: 300_000 });
const patienceMs = 180_000;

let world: World;
let people: People;
let objects: StoredObjects;
let folder: string;
let backup: string;
let leaver: Leaver;
let [ben, cat]: Person[] = [];
/** Ben's, which everybody likes; the leaver's, which ben likes. */
let [bensPost, leaversPost] = ['', ''];
/** The photo as it was sent, and as it is shown. */
let photos: Buffer[];
let variants: string[];
let other: Moved | undefined;
const database = `t${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  world = await startWorld();
  people = peopleOf(world);
  objects = openObjects(world);
  folder = mkdtempSync(path.join(tmpdir(), 'emulsion-erasure-'));
  backup = path.join(folder, 'before.gz');
  const { api } = world;
  leaver = await registerLeaver(world);
  [ben, cat] = [await api.register(), await api.register()];
  await world.drained(patienceMs);
  const [, , , bio, website] = leaver.texts;
  const [fullName, avatarMediaId] = [leaver.texts[2], await api.upload(leaver, leaver.photo)];
  const profile = { fullName, bio, website, gender: null, avatarMediaId };
  expectStatus(await api.as(leaver, 'PUT', '/api/users/me', profile), 200);
  for (const [who, whom] of [
    [ben!, leaver],
    [leaver, ben!],
    [cat!, ben!],
  ] as const)
    await people.follow(who, whom);
  leaversPost = await api.publish(leaver, [avatarMediaId], captionOf(leaver));
  bensPost = await api.publish(ben!, [await people.photo(ben!)]);
  await world.drained(patienceMs);
  await people.like(ben!, leaversPost);
  for (const who of [leaver, cat!]) await people.like(who, bensPost);
  await world.drained(patienceMs);
  const shown = (await people.read(ben!, `/api/posts/${leaversPost}`)).media[0].variants;
  variants = shown.map(({ url }: { url: string }) => new URL(url).pathname.slice(1));
  photos = [leaver.photo, ...(await Promise.all(variants.map(objects.get)))];
});
afterAll(async () => {
  objects?.close();
  await other?.close();
  await onServer(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await world?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

const erase = (who: Person, password = who.password): Promise<Answer> =>
  world.api.call('DELETE', '/api/users/me', { token: who.token, body: { password } });

/** Everywhere that anything is kept. */
async function everywhere(owner: pg.Pool): Promise<string[]> {
  return [
    ...(await searchPostgres(owner, leaver.texts)),
    ...(await searchRedis(world, leaver.texts)),
    ...(await objects.search(photos)),
    ...(await searchLog(world, leaver.texts, photos)),
  ];
}

it('is found where it is before anything is erased, but never in the log', async () => {
  const found = await everywhere(world.owner);
  for (const where of ['.person', '.profile', '.post: '])
    expect(found.some((one) => one.includes(where))).toBe(true);
  for (const key of variants) expect(found).toContain(key);
  expect(found.some((one) => one.includes('-events/'))).toBe(false);
});

it('asks for the password once more, and does nothing without it', async () => {
  expect((await erase(leaver, 'Wrong-horse-9')).body).toMatchObject({
    code: 'credentials_wrong',
    status: 401,
  });
  expect(await people.status(leaver, '/api/users/me')).toBe(200);
});

it('erases an account whose posts and likes still arrive, and its tokens with it', async () => {
  // One of its records is held back with its bytes.
  const { rows } = await world.owner.query(`SELECT version FROM engine.serving WHERE model = 'posts'`);
  const table = `posts_v${rows[0].version}.post`;
  await world.owner.query(`
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'check_violation'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH ROW WHEN (NEW.author_id = '${leaver.id}')
      EXECUTE FUNCTION public.refuse()`);
  await people.like(leaver, bensPost);
  const backedUp = await emulsion(world.env, 'backup', '--to', backup);
  expect(backedUp.err).toBe('');

  const socket = connect(world.services.stream, { token: leaver.token });
  await socket.hello();
  const photo = await world.api.upload(leaver);
  let going = true;
  const writing = async (): Promise<void> => {
    while (going) {
      const { token } = leaver;
      await world.api.call('POST', `/api/posts/${bensPost}/like`, { token });
      const headers = { 'idempotency-key': randomUUID() };
      const body = { caption: captionOf(leaver), media: [photo] };
      await world.api.call('POST', '/api/posts', { token, headers, body });
    }
  };
  const busy = writing();
  await eventually(async () => (await world.owner.query('SELECT FROM engine.parked')).rowCount! > 0);
  expectStatus(await erase(leaver), 204);
  await eventually(async () => {
    const { token } = leaver;
    const told = await Promise.all([
      world.api.call('GET', '/api/feed', { token }),
      world.api.call('POST', `/api/posts/${bensPost}/like`, { token }),
      world.api.call('GET', '/api/stream', { token }),
    ]);
    return told.every(({ body }) => body.code === 'token_invalid');
  });
  going = false;
  await busy;
  expect(await socket.until(({ code }) => code !== undefined)).toMatchObject({ code: 'token_invalid' });
  expect((await erase(leaver)).body.code).toBe('token_invalid');
  const refreshed = await world.api.call('POST', '/api/auth/refresh', {
    body: { refreshToken: leaver.refreshToken },
  });
  expect(refreshed.body.code).toBe('refresh_token_invalid');
  await appendLate(world, leaver, ben!, bensPost);
  await world.drained(patienceMs);
  expect((await world.owner.query('SELECT FROM engine.parked')).rowCount).toBeGreaterThan(0);
});

it('leaves nothing of it to anybody', async () => {
  expect(await people.status(ben!, `/api/users/${leaver.username}`)).toBe(404);
  expect(await people.status(ben!, `/api/posts/${leaversPost}`)).toBe(404);
  expect(await people.feed(ben!)).toEqual([bensPost]);
  const post = await people.read(ben!, `/api/posts/${bensPost}`);
  expect(post.likeCount).toBe(1);
  expect((await people.pages(ben!, `/api/posts/${bensPost}/likes`, 10)).flat()).toEqual([cat!.id]);
  const me = await people.read(ben!, '/api/users/me');
  expect([me.followersCount, me.followingCount]).toEqual([1, 0]);
  const found = await people.read(ben!, `/api/users?q=${leaver.username.slice(0, 8)}`);
  expect(found.items).toEqual([]);
  await expectVerified(world);
});

it('removes its photographs, in whatever form', async () => {
  await eventually(async () => (await objects.keys(`o/${leaver.id}/`)).length === 0);
  const left = await objects.keys('m/');
  expect(variants.filter((key) => left.includes(key))).toEqual([]);
  // An upload address that was handed out before still works for a while: what comes by it goes later.
  await world.owner.query(`UPDATE vault.erasure SET erased_at = erased_at - interval '30 minutes'`);
  await eventually(async () => {
    const { rows } = await world.owner.query(
      `SELECT objects_at > erased_at + interval '20 minutes' AS again FROM vault.erasure`,
    );
    return rows[0].again;
  });
});

it('gives its username to nobody for now, its email to anybody', async () => {
  const register = (username: string, email: string): Promise<Answer> =>
    world.api.call('POST', '/api/auth/register', {
      headers: { 'idempotency-key': randomUUID() },
      body: { username, email, password: 'Correct-horse-9', fullName: 'Other', dateOfBirth: '1990-05-17' },
    });
  const email = `${randomUUID()}@example.org`;
  expect((await register(leaver.username.toUpperCase(), email)).body.code).toBe('username_taken');
  const claims = await emulsion(world.env, 'vault', 'rebuild-claims');
  expect(claims).toMatchObject({ status: 0 });
  expect((await register(leaver.username, email)).body.code).toBe('username_taken');
});

it('stays so when every view is built again from the whole log, and is found nowhere', async () => {
  await world.owner.query('DROP FUNCTION public.refuse CASCADE');
  for (const model of Object.keys(modelTopics)) {
    const asked = await emulsion(world.env, 'rebuild', model);
    expect(asked.err).toBe('');
  }
  await vi.waitFor(
    async () => {
      const { rows } = await world.owner.query(
        `SELECT DISTINCT ON (model) model, state FROM engine.rebuild ORDER BY model, version DESC`,
      );
      expect(rows).toHaveLength(Object.keys(modelTopics).length);
      expect(rows.filter(({ state }) => state !== 'switched')).toEqual([]);
    },
    { timeout: patienceMs, interval: 500 },
  );
  await world.drained(patienceMs);
  await expectVerified(world);
  expect(await everywhere(world.owner)).toEqual([]);
});

it('stays so when the vault comes back as it was before', async () => {
  await Promise.all(Object.values(world.services).map((service) => service.stop()));
  await onServer(`CREATE DATABASE ${database}`);
  const keys = Object.keys(world.env).filter((key) => key.endsWith('DATABASE_URL'));
  const elsewhere = keys.map((key) => {
    const url = new URL(world.env[key]!);
    url.pathname = `/${database}`;
    return [key, url.href];
  });
  other = await moveWorld(world, 'restored', Object.fromEntries(elsewhere));
  const restored = await emulsion(other.env, 'restore', '--from', backup, '--json');
  expect(restored.err).toBe('');
  expect(JSON.parse(restored.out)).toMatchObject({ erased: 1 });
  const { rows } = await other.owner.query(
    `SELECT (SELECT count(*)::int FROM vault.data_key WHERE owner = $1) AS keys,
       (SELECT count(*)::int FROM vault.credential WHERE user_id::text = $1) AS passwords,
       (SELECT count(*)::int FROM vault.session WHERE user_id::text = $1) AS sessions,
       (SELECT count(*)::int FROM vault.erasure WHERE user_id::text = $1) AS erasures`,
    [leaver.id],
  );
  expect(rows[0]).toEqual({ keys: 0, passwords: 0, sessions: 0, erasures: 1 });
  await other.start();
  const body = { identifier: leaver.username, password: leaver.password };
  expect((await other.api.call('POST', '/api/auth/login', { body })).body.code).toBe('credentials_wrong');
  expect((await other.api.call('GET', '/api/feed', { token: leaver.token })).body.code).toBe('token_invalid');
  await other.level();
  expect(await other.differences()).toEqual([]);
  expect((await other.api.call('GET', `/api/users/${leaver.username}`)).status).toBe(404);
  expect(await everywhere(other.owner)).toEqual([]);
});

it('is known by what a record says, though its headers are lost', async () => {
  const writer = await openWriter(world);
  const erasing = (userId: string) => writer.codec.encode(event('UserErased', { userId }, Date.now()), null);
  const { key, value } = erasing(cat!.id);
  // Somebody who can not be is passed by, and keeps nobody from being erased.
  const nobody = erasing('nobody');
  await writer.close();
  const producer = world.kafka.producer();
  await producer.connect();
  await producer.send({ topic: `${world.prefix}user-events`, messages: [nobody, { key, value }] });
  await producer.disconnect();
  const applied = await emulsion(other!.env, 'vault', 'apply-erasures');
  expect(applied).toMatchObject({ status: 0, out: 'erased again   1 accounts\n' });
  const { rowCount } = await other!.owner.query('SELECT FROM vault.data_key WHERE owner = $1', [cat!.id]);
  expect(rowCount).toBe(0);
});
