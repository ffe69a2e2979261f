import { randomBytes } from 'node:crypto';
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { topics } from '../../schemas/topics.ts';
import { peopleOf } from '../features/people.ts';
import { expectStatus, type Person } from '../harness/client.ts';
import { readTopic } from '../harness/log.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';
import { emulsion } from './cli.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

let world: World;
let folder: string;
let file: string;
let ann: Person;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'emulsion-keys-'));
  file = path.join(folder, 'master.key');
  copyFileSync(process.env.EMULSION_MASTER_KEY_FILE!, file);
  world = await startWorld({ env: { EMULSION_MASTER_KEY_FILE: file } });
  ann = await world.api.register();
  await world.drained();
  await peopleOf(world).photo(ann);
});
afterAll(async () => {
  await world?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** How many data keys each master key has wrapped. */
async function wrappedBy(): Promise<Record<string, number>> {
  const { rows } = await world.owner.query(
    'SELECT master_version, count(*)::int AS keys FROM vault.data_key GROUP BY 1 ORDER BY 1',
  );
  return Object.fromEntries(rows.map((row) => [row.master_version, row.keys]));
}

async function recordsOf(): Promise<string[]> {
  const records = await Promise.all(topics.map((topic) => readTopic(world.kafka, `${world.prefix}${topic}`)));
  return records.flat().map(({ id, value }) => `${id} ${value.toString('base64')}`);
}

const login = ({ username, password }: Person) =>
  world.api.call('POST', '/api/auth/login', { body: { identifier: username, password } });

test('the master key is rotated while everything runs, and nobody notices', async () => {
  const before = await recordsOf();
  let going = true;
  const seen: Person[] = [];
  const load = (async (): Promise<void> => {
    while (going || seen.length === 0) {
      const person = await world.api.register();
      seen.push(person);
      const media = await world.api.upload(person);
      expectStatus(
        await world.api.as(person, 'POST', '/api/posts', { caption: 'Under way', media: [media] }),
        201,
      );
      expectStatus(await login(ann), 200);
    }
  })();
  const rotated = await emulsion(world.env, 'vault', 'rotate-master-key', '--json');
  const afterwards = await world.api.register();
  going = false;
  await load;
  expect(rotated.status).toBe(0);
  const report = JSON.parse(rotated.out);
  expect(report).toMatchObject({ version: 2, added: true, signingKeys: 1 });
  expect(report.dataKeys).toBeGreaterThan(0);

  expect(await wrappedBy()).toEqual({ 2: seen.length + 2 });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  for (const person of [ann, afterwards, ...seen]) expectStatus(await login(person), 200);
  await world.drained();
  await expectVerified(world);
  const now = new Set(await recordsOf());
  expect(before.filter((record) => !now.has(record))).toEqual([]);
});

test('what starts afterwards knows both keys', async () => {
  for (const name of ['command-api', 'projectors', 'media-pipeline'] as const) {
    await world.services[name].stop();
    await world.services[name].start();
  }
  const turned = await world.api.call('POST', '/api/auth/refresh', {
    body: { refreshToken: ann.refreshToken },
  });
  expectStatus(turned, 200);
  const photo = await peopleOf(world).photo(ann);
  await world.api.publish(ann, [photo]);
  await world.drained();
  await expectVerified(world);
});

test('a rotation that ended before all was wrapped is gone on with', async () => {
  const keys = readFileSync(file, 'utf8').trim().split('\n');
  appendFileSync(file, `${randomBytes(32).toString('base64')}\n`);
  // Whoever comes meanwhile is under the newest key already.
  await vi.waitFor(
    async () => {
      await world.api.register();
      expect(await wrappedBy()).toHaveProperty('3');
    },
    { timeout: 30_000, interval: 300 },
  );
  const rotated = await emulsion(world.env, 'vault', 'rotate-master-key');
  expect(rotated.status).toBe(0);
  expect(rotated.out).toContain('number 3, added by a run that did not end');
  expect(Object.keys(await wrappedBy())).toEqual(['3']);
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(keys.length + 1);
  expectStatus(await login(ann), 200);
  await expectVerified(world);
});
