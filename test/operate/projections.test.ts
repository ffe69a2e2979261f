import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Projection } from '../../tools/operate/projections/projection.ts';
import type { Person } from '../harness/client.ts';
import { type Door, openDoor } from '../harness/door.ts';
import { startWorld, type World } from '../harness/world.ts';
import { emulsion, projection, projections } from './cli.ts';

const models = ['accounts', 'graph', 'likes', 'media', 'posts', 'stream', 'timelines', 'media-pipeline'];
const patience = { timeout: 90_000, interval: 500 };
vi.setConfig({ testTimeout: 180_000 });

let world: World;
let broker: Door;
beforeAll(async () => {
  world = await startWorld({
    services: ['command-api', 'query-api', 'projectors', 'reactors', 'media-pipeline'],
  });
  broker = await openDoor(world.env.KAFKA_BROKERS!, 'broker');
});
afterAll(async () => {
  await world?.stop();
  await broker?.close();
});

const becomes = (model: string, state: string): Promise<void> =>
  vi.waitFor(async () => expect((await projection(world.env, model)).state).toBe(state), patience);

/** Somebody follows somebody, so that accounts, graph, timelines and stream have something to do. */
async function busy(): Promise<void> {
  await follow(await world.api.register(), await world.api.register());
}

async function follow(ana: Person, ben: Person): Promise<void> {
  // Whom ana has just heard of is not known everywhere yet.
  await vi.waitFor(async () => {
    const { status } = await world.api.as(ana, 'POST', `/api/users/${ben.username}/follow`);
    expect(status).toBeLessThan(300);
  }, patience);
}

interface Readiness {
  status: string;
  checks: { name: string; ok: boolean; detail?: string }[];
}

async function readiness(service: 'projectors' | 'query-api'): Promise<{ status: number; body: Readiness }> {
  const answer = await fetch(`${world.services[service].url}/readyz`);
  return { status: answer.status, body: (await answer.json()) as Readiness };
}

test('everything that consumes the log is shown, with where it stands', async () => {
  await busy();
  await world.drained();
  await vi.waitFor(async () => {
    const all = await projections(world.env);
    expect(all.map(({ model }) => model)).toEqual(expect.arrayContaining(models));
    expect(new Set(all.map(({ state }) => state))).toEqual(new Set(['running']));
  }, patience);
  const printed = JSON.parse((await emulsion(world.env, 'projections', '--json')).out) as Projection[];
  const accounts = printed.find(({ model }) => model === 'accounts')!;
  expect(accounts).toMatchObject({ version: 1, lagEvents: 0, lagSeconds: 0, etaSeconds: 0 });
  expect(accounts).toMatchObject({ served: true, parked: 0, reason: null });
  const users = accounts.partitions.filter(({ topic }) => topic === 'user-events');
  expect(users.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
  expect(users.reduce((sum, { position }) => sum + position, 0)).toBeGreaterThan(0);
  expect(users.every(({ position, head }) => position === head)).toBe(true);
  expect((await readiness('projectors')).body).toMatchObject({ status: 'ready' });
});

test('a person gets a table, one model also its partitions, and a mistyped one the names there are', async () => {
  const all = await emulsion(world.env, 'projections');
  expect(all).toMatchObject({ status: 0 });
  expect(all.out).toMatch(/^model +version +state/);
  expect(all.out).not.toContain('user-events/0');
  const one = await emulsion(world.env, 'projections', 'accounts');
  expect(one.out).toMatch(/user-events\/0 +\d+ +\d+ +0/);
  const none = await emulsion(world.env, 'projections', 'acounts');
  expect(none.status).toBe(1);
  expect(none.err).toContain('There are accounts, graph, likes');
});

test('a round that Postgres refuses waits for Postgres, and goes on', async () => {
  const [ana, ben] = [await world.api.register(), await world.api.register()];
  // That somebody registered may come in the same round.
  await world.drained();
  await world.owner.query(`
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON graph_v1.follow EXECUTE FUNCTION public.refuse()`);
  try {
    await follow(ana, ben);
    await becomes('graph', 'waiting for postgres');
    expect(await projection(world.env, 'graph')).toMatchObject({
      reason: 'could not extend file',
      lagEvents: 1,
    });
    expect((await projection(world.env, 'accounts')).state).toBe('running');
    const { status, body } = await readiness('projectors');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'degraded' });
  } finally {
    await world.owner.query('DROP FUNCTION public.refuse CASCADE');
  }
  await becomes('graph', 'running');
});

test('a round that gets nowhere is stalled, with the partition and the process named', async () => {
  const [ana, ben] = [await world.api.register(), await world.api.register()];
  await world.drained();
  const lock = await world.owner.connect();
  try {
    await lock.query('BEGIN; LOCK TABLE graph_v1.follow IN EXCLUSIVE MODE');
    await follow(ana, ben);
    await becomes('graph', 'stalled');
    const graph = await projection(world.env, 'graph');
    expect(graph.reason).toMatch(/^no progress on follow-events\/\d for \d+ s, projectors /);
    expect(graph.lagEvents).toBe(1);
    expect(graph.lagSeconds).toBeGreaterThan(10);
    expect((await readiness('projectors')).body.checks[1]?.detail).toContain('graph.v1 stalled');
  } finally {
    await lock.query('ROLLBACK');
    lock.release();
  }
  await becomes('graph', 'running');
});

test('a paused model stands still, says who halted it, and goes on when it is resumed', async () => {
  const paused = await emulsion(world.env, 'pause', 'graph');
  expect(paused).toMatchObject({ status: 0 });
  await becomes('graph', 'paused');
  // Somebody new is not held up by it; that they are there, and who they follow, waits.
  await busy();
  const graph = await projection(world.env, 'graph');
  expect(graph).toMatchObject({ lagEvents: 3, advice: 'Let it go on with emulsion resume graph.' });
  expect(graph.reason).toMatch(/^by \S+@\S+ since 20/);
  await vi.waitFor(async () => {
    const { status, body } = await readiness('projectors');
    expect([status, body.status]).toEqual([200, 'degraded']);
    expect(body.checks[1]?.detail).toContain('graph.v1 paused');
  }, patience);
  const { rows } = await world.owner.query('SELECT kind, outcome FROM engine.command');
  expect(rows).toEqual([{ kind: 'pause', outcome: 'done' }]);
  expect((await emulsion(world.env, 'resume', 'graph')).status).toBe(0);
  await becomes('graph', 'running');
  await world.drained();
  expect((await projection(world.env, 'graph')).lagEvents).toBe(0);
});

test('what the projectors do not take stays asked for, and the command says so', async () => {
  await world.services.projectors.stop();
  const asked = await emulsion(world.env, 'pause', 'graph', '--json');
  expect(asked.status).toBe(1);
  expect(JSON.parse(asked.out)).toMatchObject({
    outcome: 'queued',
    detail: expect.stringContaining('No projectors process is running'),
  });
  await world.services.projectors.start();
  await becomes('graph', 'paused');
  expect((await emulsion(world.env, 'resume', 'graph')).status).toBe(0);
  const mistyped = await emulsion(world.env, 'pause', 'grph');
  expect(mistyped.status).toBe(1);
  expect(mistyped.err).toContain('There are accounts');
});

test('a build is shown beside the version that is served, as far as it is', async () => {
  const asked = await emulsion(world.env, 'rebuild', 'graph', '--no-switch');
  expect(asked).toMatchObject({ status: 0 });
  await vi.waitFor(async () => {
    const built = await projection(world.env, 'graph', 2);
    expect(built).toMatchObject({ state: 'rebuilding', served: false });
    expect(built.reason).toContain('ready');
    expect(built.advice).toContain('emulsion switch graph');
  }, patience);
  expect(await projection(world.env, 'graph')).toMatchObject({ state: 'running', served: true });
  // Gauges follow with the next report of the process.
  await vi.waitFor(async () => {
    const metrics = await (await fetch(`${world.services.projectors.url}/metrics`)).text();
    expect(metrics).toMatch(/rebuild_target\{model="graph",version="2",topic="follow-events",partition="0"/);
    expect(metrics).toMatch(/projection_state\{consumer="graph.v1",state="running",[^}]*\} 1/);
    expect(metrics).toMatch(
      /projection_lag_events\{consumer="graph.v2",topic="follow-events",partition="0"[^}]*\} 0/,
    );
    expect(metrics).toMatch(/projection_lag_seconds\{consumer="graph.v1"[^}]*\} 0/);
  }, patience);
  expect((await readiness('projectors')).body.status).toBe('degraded');
  expect((await emulsion(world.env, 'cancel', 'graph')).status).toBe(0);
  await vi.waitFor(
    async () => expect((await projections(world.env)).filter(({ version }) => version === 2)).toEqual([]),
    patience,
  );
});

test('a frozen process is not running; readers are told that what they see is old, and served', async () => {
  world.services.projectors.signal('SIGSTOP');
  await becomes('graph', 'not running');
  expect((await projection(world.env, 'stream')).state).toBe('running');
  await vi.waitFor(async () => {
    const { status, body } = await readiness('query-api');
    expect([status, body.status]).toEqual([200, 'degraded']);
  }, patience);
  world.services.projectors.signal('SIGCONT');
  await becomes('graph', 'running');
});

test('without a broker it waits for the broker, and nobody knows how far it is behind', async () => {
  await world.services.projectors.stop();
  const env = { ...world.env, KAFKA_BROKERS: broker.address };
  await world.services.projectors.start({ KAFKA_BROKERS: broker.address });
  await becomes('graph', 'running');
  await broker.shut();
  await becomes('graph', 'waiting for broker');
  const unknown = await projection(env, 'graph');
  expect(unknown).toMatchObject({ lagEvents: null, etaSeconds: null });
  expect(unknown.partitions[0]?.head).toBeNull();
  expect((await emulsion(env, 'projections')).out).toContain('The broker does not answer');
  await broker.open();
  await becomes('graph', 'running');
});

test('without Redis the timelines wait for Redis, and everything else goes on', async () => {
  const url = new URL(world.env.REDIS_URL!);
  const redis = await openDoor(url.host);
  url.host = redis.address;
  await world.services.projectors.stop();
  await world.services.projectors.start({ REDIS_URL: url.href });
  await becomes('timelines', 'running');
  await redis.shut();
  await becomes('timelines', 'waiting for redis');
  await busy();
  await becomes('graph', 'running');
  await redis.open();
  await becomes('timelines', 'running');
  await world.services.projectors.stop();
  await world.services.projectors.start();
  await redis.close();
});

test('a version that no running process has the code of is told from one whose process is down', async () => {
  await world.owner.query(`INSERT INTO engine.version (model, version, schema_name, definition)
    VALUES ('graph', 99, 'graph_v99', 99)`);
  await vi.waitFor(
    async () =>
      expect(await projection(world.env, 'graph', 99)).toMatchObject({ state: 'no code', served: false }),
    patience,
  );
  await world.owner.query('DELETE FROM engine.version WHERE version = 99');
});

test('a process that died is forgotten after a while', async () => {
  await world.owner.query(`INSERT INTO engine.member (consumer, member, process, state, seen_at)
    VALUES ('graph.v1', gen_random_uuid(), 'projectors there:1', 'running', now() - interval '1 hour')`);
  await vi.waitFor(async () => {
    const { rows } = await world.owner.query(
      "SELECT FROM engine.member WHERE process = 'projectors there:1'",
    );
    expect(rows).toEqual([]);
  }, patience);
});

test('a process that ends in order is missed by nobody, and its models are not running', async () => {
  await world.services.projectors.stop();
  const { rows } = await world.owner.query("SELECT FROM engine.member WHERE process LIKE 'projectors%'");
  expect(rows).toEqual([]);
  expect(await projection(world.env, 'graph')).toMatchObject({
    state: 'not running',
    reason: 'no process reports it',
  });
});

test('a position beyond the end stops the consumer, and the text says that an operator is needed', async () => {
  await world.owner.query(
    "UPDATE engine.position SET position = position + 1000 WHERE consumer = 'graph.v1'",
  );
  await world.services.projectors.start();
  await becomes('graph', 'stopped');
  const graph = await projection(world.env, 'graph');
  expect(graph.reason).toContain('beyond the head');
  expect((await projections(world.env))[0]?.model).toBe('graph');
  expect((await emulsion(world.env, 'projections')).out).toContain('No retry mends this');
  const { status, body } = await readiness('projectors');
  expect([status, body.status]).toEqual([200, 'degraded']);
});
