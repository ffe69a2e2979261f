import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { v7 } from 'uuid';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Appender, openAppender } from '../../platform/log/appender.ts';
import { type Codec, openCodec } from '../../platform/log/codec.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { createDataKey } from '../../platform/vault/data-keys.ts';
import { openMasterKey } from '../../platform/vault/master-key.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { type VerifyOptions, type VerifyReport, verify } from '../../tools/verify/verify.ts';
import { openWorld } from '../../tools/verify/world.ts';
import { event } from '../harness/events.ts';
import { discardLetter } from '../harness/rulings.ts';
import { startWorld, type World } from '../harness/world.ts';

const root = path.resolve(import.meta.dirname, '../..');
/** So little that everything goes to the disk. */
const little = 65_536;

let world: World;
let codec: Codec<Event>;
let appender: Appender;
let dir: string;
const people = Array.from({ length: 40 }, () => v7());

beforeAll(async () => {
  world = await startWorld({ services: ['projectors'] });
  const { prefix, kafka, env } = world;
  codec = await openCodec<Event>({ registryUrl: env.SCHEMA_REGISTRY_URL!, catalog: eventCatalog, prefix });
  appender = await openAppender({ kafka, prefix, partitions: 4, log: createLogger('test', 'silent') });
  await registerAll();
  await likeAll();
  await world.drained(60_000);
}, 180_000);

afterAll(async () => {
  await appender?.close();
  await world?.stop();
});

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'emulsion-verify-'));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

async function registerAll(): Promise<void> {
  const master = openMasterKey(world.env.EMULSION_MASTER_KEY_FILE!);
  for (const userId of people) {
    const key = await createDataKey(world.owner, master, userId);
    const said = { username: `u${userId.slice(-8)}`, email: 'a@b.c', fullName: 'A B', gender: null };
    const registered = event('UserRegistered', { userId, ...said, dateOfBirth: '2000-01-01' }, Date.now());
    await appender.append(codec.encode(registered, key));
  }
}

async function likeAll(): Promise<void> {
  const posts = Array.from({ length: 50 }, () => v7());
  for (const postId of posts) {
    const likes = people.map((likerId) =>
      event('PostLiked', { postId, likerId, authorId: v7() }, Date.now()),
    );
    await Promise.all(likes.map((like) => appender.append(codec.encode(like, null))));
  }
}

/** Verifies in this process, counting the records it decodes; ends when there are as many as said. */
async function counted(
  options: Partial<VerifyOptions>,
  endAfter = Number.POSITIVE_INFINITY,
): Promise<{ report: VerifyReport | null; decoded: number; resumable: boolean }> {
  const opened = await openWorld(world.env);
  const controller = new AbortController();
  let decoded = 0;
  let resumable = false;
  const decode: Codec<Event>['decode'] = (value) => {
    decoded += 1;
    if (decoded === endAfter) controller.abort(new Error('enough'));
    return opened.codec.decode(value);
  };
  try {
    const report = await verify(
      { ...opened, codec: { ...opened.codec, decode } },
      {
        ...{ models: [], dir, memory: little, signal: controller.signal, ...options },
        onResumable() {
          resumable = true;
        },
      },
    ).catch((error: Error) => {
      if (error.message !== 'enough') throw error;
      return null;
    });
    return { report, decoded, resumable };
  } finally {
    await opened.close();
  }
}

const left = () => readdirSync(dir);

describe('a verification that is interrupted', () => {
  it('goes on from where it was, and leaves nothing on the disk', async () => {
    const all = await counted({});
    expect(all).toMatchObject({ report: { equal: true }, resumable: false });
    expect(left()).toEqual([]);
    const first = await counted({}, 1_000);
    expect(first).toMatchObject({ report: null, resumable: true });
    expect(left()).toHaveLength(1);
    const second = await counted({ resume: true });
    expect(second.report).toMatchObject({ equal: true, tables: all.report!.tables });
    expect(second.decoded).toBeLessThan(all.decoded);
    expect(left()).toEqual([]);
  });

  it('is of the same snapshot, whatever is written meanwhile', async () => {
    await counted({ models: ['likes'] }, 1_000);
    const again = event('PostLiked', { postId: v7(), likerId: people[0]!, authorId: v7() }, Date.now());
    await appender.append(codec.encode(again, null));
    await world.drained();
    const { report } = await counted({ models: ['likes'], resume: true });
    const now = await counted({ models: ['likes'] });
    expect([report?.equal, now.report?.equal]).toEqual([true, true]);
    expect(now.report!.models[0]!.events).toBe(report!.models[0]!.events + 1);
  });

  it('is thrown away by the next one that begins anew, and not taken for another', async () => {
    await counted({}, 1_000);
    await expect(counted({ models: ['likes'], resume: true })).rejects.toThrow('no interrupted run');
    expect(left()).toHaveLength(1);
    expect((await counted({})).report?.equal).toBe(true);
    expect(left()).toEqual([]);
  });

  it('leaves out people who were erased before their events were read', async () => {
    await counted({ models: ['accounts'], memory: 4_096 }, 1);
    // Of whom some have been read already: which partition comes first is up to the broker.
    const erased = await world.owner.query('DELETE FROM vault.data_key RETURNING owner, wrapped');
    const { report } = await counted({ models: ['accounts'], resume: true });
    expect(report).toMatchObject({ equal: true });
    expect(report!.erased).toBeGreaterThan(0);
    expect(report!.erased).toBeLessThanOrEqual(2 * people.length);
    // Before the snapshot it is a difference: whoever is erased leaves tombstones.
    const later = await counted({ models: ['accounts'] });
    expect(later.report).toMatchObject({ equal: false, erased: 0 });
    expect(later.report!.tables.map(({ table, differences }) => [table, differences])).toEqual([
      ['erased_person', 0],
      ['person', people.length],
      ['profile', people.length],
    ]);
    await world.owner.query(
      'INSERT INTO vault.data_key (owner, wrapped) SELECT * FROM unnest($1::text[], $2::bytea[])',
      [erased.rows.map(({ owner }) => owner), erased.rows.map(({ wrapped }) => wrapped)],
    );
  });
});

describe('what is in no row', () => {
  const like = (likerId: string) => event('PostLiked', { postId: v7(), likerId, authorId: v7() }, Date.now());

  it('is parked or discarded, or it is told', async () => {
    const record = codec.encode(like(v7()), null);
    const { topic, partition, offset } = await appender.append({ ...record, value: Buffer.from('no event') });
    await world.drained();
    expect((await counted({ models: ['likes'] })).report).toMatchObject({
      equal: true,
      models: [{ parked: 1 }],
    });
    await world.owner.query('DELETE FROM engine.parked');
    const lost = await counted({ models: ['likes'] });
    expect(lost.report).toMatchObject({ equal: false, differences: [] });
    expect(lost.report!.findings).toEqual([
      `likes: ${topic}/${partition}/${offset} does not decode and is not parked`,
    ]);
    await discardLetter(world, { model: 'likes', topic, partition, offset });
    expect((await counted({ models: ['likes'] })).report?.equal).toBe(true);
  });
});

describe('emulsion verify', () => {
  /** What a projectors process gives to a child of its own. */
  const env = () => {
    const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL, REDIS_URL, EMULSION_MASTER_KEY_FILE, EMULSION_PREFIX } =
      world.env;
    const needed = {
      KAFKA_BROKERS,
      SCHEMA_REGISTRY_URL,
      REDIS_URL,
      EMULSION_MASTER_KEY_FILE,
      EMULSION_PREFIX,
    };
    return { ...needed, PATH: process.env.PATH, DATABASE_URL: world.env.PROJECTOR_DATABASE_URL };
  };
  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, ['tools/cli/main.ts', 'verify', ...args, '--dir', dir], {
      cwd: root,
      env: env(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const ended = async (child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> => {
    let [out, err] = ['', ''];
    child.stdout!.on('data', (chunk) => (out += chunk));
    child.stderr!.on('data', (chunk) => (err += chunk));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, out, err };
  };

  it('proves one version with what a projectors process has', async () => {
    const { code, out } = await ended(start('likes', '--version', '1', '--json'));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ equal: true, models: [{ model: 'likes', version: 1 }] });
    const unknown = await ended(start('likes', '--version', '9', '--json'));
    expect(unknown).toMatchObject({ code: 1, out: '' });
    expect(unknown.err).toContain('There is no version 9 of likes.');
  });

  it('goes on after it was killed', async () => {
    const child = start('likes', '--memory', '1M');
    const state = () => left().some((name) => existsSync(path.join(dir, name, 'state.json')));
    await vi.waitFor(() => expect(state()).toBe(true), { timeout: 30_000, interval: 5 });
    child.kill('SIGKILL');
    await ended(child);
    const { code, out } = await ended(start('likes', '--memory', '1M', '--resume'));
    expect(out).toContain('0 differences');
    expect(code).toBe(0);
    expect(left()).toEqual([]);
  });
});
