import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { unpackedProgram } from '../../deploy/native/install/debian.ts';
import { resolvePaths } from '../../deploy/native/paths.ts';
import { probeTopic } from '../../tools/operate/doctor/append.ts';
import { compareClock } from '../../tools/operate/doctor/clock.ts';
import { examine } from '../../tools/operate/doctor/doctor.ts';
import type { Finding } from '../../tools/operate/doctor/finding.ts';
import { checkNode, checkRoom } from '../../tools/operate/doctor/machine.ts';
import type { Target } from '../../tools/operate/doctor/services.ts';
import { type Door, openDoor } from '../harness/door.ts';
import { startWorld, type World } from '../harness/world.ts';
import { emulsion } from './cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'emulsion-doctor-'));
/** What this machine is like is not for these tests to say. */
const machine = ['disk', 'versions'];

let world: World;
let doors: Record<'broker' | 'postgres' | 'redis' | 'registry' | 'store', Door>;
/** The world as seen through the doors. */
let env: Record<string, string>;

beforeAll(async () => {
  world = await startWorld({ services: ['command-api', 'projectors', 'reactors', 'media-pipeline'] });
  await world.api.register();
  await world.drained();
  const host = (key: string): string => new URL(world.env[key]!).host;
  doors = {
    broker: await openDoor(world.env.KAFKA_BROKERS!, 'broker'),
    postgres: await openDoor(host('DATABASE_URL')),
    redis: await openDoor(host('REDIS_URL')),
    registry: await openDoor(host('SCHEMA_REGISTRY_URL')),
    store: await openDoor(host('S3_ENDPOINT')),
  };
  env = {
    ...world.env,
    // A home of its own: the services of the stack that lends its servers are none of this world's.
    EMULSION_HOME: folder,
    KAFKA_BROKERS: doors.broker.address,
    DATABASE_URL: through('DATABASE_URL', doors.postgres),
    REDIS_URL: through('REDIS_URL', doors.redis),
    SCHEMA_REGISTRY_URL: through('SCHEMA_REGISTRY_URL', doors.registry),
    S3_ENDPOINT: through('S3_ENDPOINT', doors.store),
  };
});
beforeEach(async () => {
  for (const door of Object.values(doors)) await door.open();
});
afterAll(async () => {
  await dropTopics(`${world?.prefix}${probeTopic}`);
  await world?.stop();
  for (const door of Object.values(doors ?? {})) await door.close();
  rmSync(folder, { recursive: true, force: true });
});

function through(key: string, door: Door): string {
  const url = new URL(world.env[key]!);
  url.host = door.address;
  return url.href.replace(/\/$/, '');
}

async function withAdmin(
  work: (admin: ReturnType<World['kafka']['admin']>) => Promise<unknown>,
): Promise<void> {
  const admin = world.kafka.admin();
  await admin.connect();
  await work(admin).finally(() => admin.disconnect());
}

function dropTopics(...names: string[]): Promise<void> {
  return withAdmin((admin) => admin.deleteTopics({ topics: names }).catch(() => {}));
}

function targets(): Target[] {
  const started = ['command-api', 'projectors', 'reactors', 'media-pipeline'] as const;
  return started.map((name) => ({ name, url: world.services[name].url }));
}

/** What is not as it should be. */
async function complaints(changed: Record<string, string> = {}): Promise<Finding[]> {
  const findings = await examine({ ...env, ...changed }, targets());
  return findings.filter(({ level, area }) => level !== 'ok' && !machine.includes(area));
}

const wrongIn = (findings: Finding[], area: string): string[] =>
  findings.filter((one) => one.level === 'wrong' && one.area === area).map(({ what }) => what);

/** A single node with one copy of everything is what this world is. */
const known = 'one copy of the data keys';

describe('a world that is well', () => {
  it('has nothing wrong, says what was looked at, and ends with status 0', async () => {
    await vi.waitFor(
      async () => {
        const found = (await complaints()).filter(({ what }) => !what.startsWith(known));
        expect(found).toEqual([]);
      },
      { timeout: 40_000, interval: 1_000 },
    );
    const printed = await emulsion(env, 'doctor');
    expect(printed.out).toMatch(/^ok {4} broker {8}1 broker, metadata.version level \d+$/m);
    expect(printed.out).toContain('subjects at FULL_TRANSITIVE');
    for (const clock of ['Postgres', 'Redis', 'the broker'])
      expect(printed.out).toContain(`agrees with ${clock}`);
    expect(printed.out.trimEnd().split('\n').at(-1)).toMatch(/^\d+ wrong, \d+ to look at, \d+ ok$/);
    expect(printed.status).toBe(0);
  });
});

describe('a server that is down', () => {
  it.each([
    ['broker', 'broker'],
    ['postgres', 'postgres'],
    ['redis', 'redis'],
    ['registry', 'registry'],
    ['store', 'object store'],
  ] as const)('%s: is named, and the others are examined all the same', async (door, area) => {
    await doors[door].shut();
    const findings = await examine(env, []);
    expect(wrongIn(findings, area)[0]).toMatch(/does not answer|ECONNREFUSED/);
    const others = ['broker', 'postgres', 'redis', 'registry', 'object store'].filter((one) => one !== area);
    for (const other of others) expect(wrongIn(findings, other)).toEqual([]);
    expect(findings[0]?.level).toBe('wrong');
    expect(findings.find((one) => one.level === 'wrong')?.remedy).toBeTruthy();
  });

  it('is told by the exit status, and by --json with what to do', async () => {
    await doors.postgres.shut();
    const printed = await emulsion(env, 'doctor', '--json');
    expect(printed.status).toBe(1);
    const findings = JSON.parse(printed.out) as Finding[];
    expect(findings.find(({ area }) => area === 'postgres')).toMatchObject({ level: 'wrong' });
    expect(findings.find(({ area }) => area === 'projections')).toMatchObject({ level: 'warn' });
  });

  it('and keeps silent instead of refusing: the doctor still ends', async () => {
    for (const door of Object.values(doors)) door.silence();
    const printed = await emulsion(env, 'doctor', '--json');
    expect(printed.status).toBe(1);
    const findings = JSON.parse(printed.out) as Finding[];
    for (const area of ['broker', 'postgres', 'redis', 'registry', 'object store'])
      expect(wrongIn(findings, area)).toHaveLength(1);
    expect(findings.filter(({ area, level }) => area === 'config' && level === 'ok')).not.toEqual([]);
  });
});

describe('the log', () => {
  const partition = 1;

  it('with other partitions than the contract, a topic missing and one too many', async () => {
    const stranger = `${world.prefix}former-events`;
    await withAdmin((admin) =>
      admin.createTopics({ topics: [{ topic: stranger, numPartitions: partition }] }),
    );
    try {
      const found = await complaints({ EMULSION_PARTITIONS: '5' });
      expect(wrongIn(found, 'broker')[0]).toContain('user-events has 4 partitions');
      expect(found.find(({ what }) => what.includes('former-events'))).toMatchObject({ level: 'warn' });
      const elsewhere = await complaints({ EMULSION_PREFIX: 'nobodys.' });
      expect(wrongIn(elsewhere, 'broker')[0]).toContain('topics are missing: nobodys.user-events');
      expect(wrongIn(elsewhere, 'registry')[0]).toContain('not registered');
    } finally {
      await dropTopics(stranger, `nobodys.${probeTopic}`);
    }
  });

  it('that forgets is wrong at once', async () => {
    const set = (retention: string): Promise<void> =>
      withAdmin((admin) =>
        admin.alterConfigs({
          validateOnly: false,
          resources: [
            {
              type: 2,
              name: `${world.prefix}like-events`,
              configEntries: [
                { name: 'retention.ms', value: retention },
                { name: 'message.timestamp.type', value: 'LogAppendTime' },
              ],
            },
          ],
        }),
      );
    await set('86400000');
    const [what] = wrongIn(await complaints(), 'broker');
    expect(what).toContain(`retention.ms is not -1 on ${world.prefix}like-events (86400000)`);
    await set('-1');
  });
});

describe('the schema registry', () => {
  it('that would take an incompatible schema', async () => {
    const subject = `${world.prefix}like-events-emulsion.PostLiked`;
    const set = (compatibility: string): Promise<Response> =>
      fetch(`${world.env.SCHEMA_REGISTRY_URL}/config/${subject}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify({ compatibility }),
      });
    await set('BACKWARD');
    expect(wrongIn(await complaints(), 'registry')[0]).toContain(subject);
    await set('FULL_TRANSITIVE');
  });
});

describe('Postgres', () => {
  it('without a migration of this release', async () => {
    await world.owner.query("DELETE FROM public.migration WHERE name = 'engine/001_engine.sql'");
    expect(wrongIn(await complaints(), 'postgres')).toEqual([
      'migrations not applied: engine/001_engine.sql',
    ]);
    await world.owner.query("INSERT INTO public.migration (name) VALUES ('engine/001_engine.sql')");
  });
});

describe('Redis', () => {
  it('that evicts, keeps nothing over a restart, and does not hold the timelines', async () => {
    const port = await freePort();
    const program = unpackedProgram(resolvePaths(process.env).cache, 'redis', 'redis-server');
    const settings = {
      port,
      bind: '127.0.0.1',
      'maxmemory-policy': 'allkeys-lru',
      save: '',
      appendonly: 'no',
    };
    const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
    const redis = spawn(program, args, { cwd: folder, stdio: 'ignore' });
    try {
      const REDIS_URL = `redis://127.0.0.1:${port}`;
      await vi.waitFor(async () => {
        const found = (await complaints({ REDIS_URL })).filter(({ area }) => area === 'redis');
        expect(found.map(({ level, what }) => [level, what.split(':')[0]])).toEqual([
          ['wrong', 'maxmemory-policy is allkeys-lru'],
          ['warn', 'keeps no append-only file'],
          ['warn', 'does not hold the timelines that Postgres names'],
        ]);
      }, 30_000);
    } finally {
      redis.kill('SIGKILL');
    }
  });
});

describe('the object store', () => {
  it('without the bucket', async () => {
    const found = await complaints({ S3_BUCKET: 'nobodys-bucket' });
    expect(wrongIn(found, 'object store')[0]).toContain('NoSuchBucket');
  });
});

describe('the configuration', () => {
  it('without a key that services need, with all else examined that can be', async () => {
    const { DATABASE_URL: _, ...without } = env;
    const findings = await examine(without, targets());
    expect(wrongIn(findings, 'config')[0]).toContain('DATABASE_URL');
    expect(findings.filter(({ area }) => area === 'services')).toHaveLength(4);
  });

  it('with a master key that everybody can read, that is not there, or that is of another vault', async () => {
    const open = path.join(folder, 'open.key');
    copyFileSync(env.EMULSION_MASTER_KEY_FILE!, open);
    chmodSync(open, 0o644);
    expect(wrongIn(await complaints({ EMULSION_MASTER_KEY_FILE: open }), 'config')[0]).toContain('mode 644');
    const gone = path.join(folder, 'gone.key');
    expect(wrongIn(await complaints({ EMULSION_MASTER_KEY_FILE: gone }), 'config')[0]).toContain(
      "can't be read",
    );
    const other = path.join(folder, 'other.key');
    writeFileSync(other, `${Buffer.alloc(32, 9).toString('base64')}\n`, { mode: 0o600 });
    expect(wrongIn(await complaints({ EMULSION_MASTER_KEY_FILE: other }), 'config')).toEqual([
      'the master key does not open the data keys of this vault',
    ]);
  });
});

describe('this machine', () => {
  it('with a clock that differs, beyond what asking took', () => {
    const asked = { from: 10_000, to: 10_200 };
    expect(compareClock('Redis', { at: 10_150, ...asked }).level).toBe('ok');
    expect(compareClock('Redis', { at: 10_650, ...asked }).level).toBe('ok');
    expect(compareClock('Redis', { at: 8_000, ...asked })).toMatchObject({
      level: 'warn',
      what: "the clock of Redis is 2.1 s behind this machine's",
    });
    expect(compareClock('Redis', { at: 70_100, ...asked }).level).toBe('wrong');
  });

  it('with a disk that fills up, or too old a Node', () => {
    expect(checkRoom(30, 100).level).toBe('ok');
    expect(checkRoom(19, 100).level).toBe('warn');
    expect(checkRoom(4, 100).level).toBe('wrong');
    expect(checkNode('22.1.0').level).toBe('ok');
    expect(checkNode('20.20.0').level).toBe('wrong');
  });
});

describe('projections and services', () => {
  it('paused and forgotten, parked, and a build that failed', async () => {
    await world.owner.query(`
      INSERT INTO engine.pause (model, paused_at, paused_by) VALUES ('likes', now() - interval '2 hours', 'ana@there');
      INSERT INTO engine.parked (consumer, topic, partition, "offset", key, code, detail)
        VALUES ('posts.v1', 'post-events', 0, 0, 'a', 'undecodable', 'a test');
      INSERT INTO engine.version (model, version, schema_name, definition, state)
        VALUES ('media', 2, 'media_v2', 1, 'filling');
      INSERT INTO engine.rebuild (model, version, definition, state, asked_by, detail)
        VALUES ('media', 2, 1, 'failed', 'ana@there', 'the disk was full')`);
    const found = (await complaints()).filter(({ area }) => area === 'projections');
    expect(found.map(({ what }) => what)).toEqual([
      'media 2: stopped, the rebuild failed: the disk was full',
      'posts 1: 1 records are parked',
      'likes was paused by ana@there 2 h ago',
    ]);
    await world.owner.query(
      `DELETE FROM engine.pause; DELETE FROM engine.parked; DELETE FROM engine.rebuild;
       DELETE FROM engine.version WHERE schema_name = 'media_v2'`,
    );
  });

  it('whose process is gone', async () => {
    await world.services.reactors.stop();
    const found = await complaints();
    expect(wrongIn(found, 'projections')).toEqual(['stream 1: not running, no process reports it']);
    expect(wrongIn(found, 'services')[0]).toMatch(/^reactors does not answer: /);
  });
});

async function freePort(): Promise<number> {
  const door = await openDoor('127.0.0.1:1');
  await door.close();
  return door.port;
}
