import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { expectStatus, type Person, samplePhoto } from '../harness/client.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import type { Load } from './load.ts';
import { expectReadiness, type Fault, liveThrough, openStage, type Stage } from './stage.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });
const patience = { timeout: 60_000, interval: 100 };

let stack: Stack;
let stage: Stage;
let uploader: Person;

beforeAll(async () => {
  stack = await startStack();
  stage = await openStage(stack);
  uploader = await stage.witness.api.register();
});
afterAll(async () => {
  stage?.close();
  await stack?.close();
});

/** Ports of our processes, by their names. */
const portKeys = {
  'command-api': 'EMULSION_COMMAND_PORT',
  'query-api': 'EMULSION_QUERY_PORT',
  'stream-1': 'EMULSION_STREAM_PORT',
  'stream-2': 'EMULSION_STREAM2_PORT',
  projectors: 'EMULSION_PROJECTORS_PORT',
  reactors: 'EMULSION_REACTORS_PORT',
  'media-pipeline': 'EMULSION_MEDIA_PORT',
} as const;
type Process = keyof typeof portKeys;
const processes = Object.keys(portKeys) as Process[];

const own = (name: Process) => ({ url: `http://127.0.0.1:${stack.ports[portKeys[name]]}` });
const signal = (name: Process, what: NodeJS.Signals) => process.kill(stack.kept(name)!, what);

async function allGoesOn(load: Load): Promise<void> {
  await load.goesOn('writes');
  await load.goesOn('reads');
}

/** Kills it; resolves when another is there in its place and serves. */
async function killKept(name: Process): Promise<void> {
  const before = stack.kept(name);
  signal(name, 'SIGKILL');
  await vi.waitFor(async () => {
    const now = stack.kept(name);
    expect([now !== undefined && now !== before, await stack.isReady(name)]).toEqual([true, true]);
  }, patience);
}

/** An upload whose bytes are there, of somebody whom nobody else speaks for. */
async function put(): Promise<string> {
  const bytes = await samplePhoto();
  const asked = await asUploader('POST', '/api/media/uploads', {
    contentType: 'image/jpeg',
    fileName: 'photo.jpg',
    size: bytes.length,
  });
  expectStatus(asked, 201);
  const { url, headers } = asked.body.upload;
  expect((await fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes) })).status).toBe(200);
  await stack.drained(patience.timeout);
  return asked.body.mediaId;
}

let asked = 0;
function asUploader(method: string, path: string, body?: unknown) {
  asked += 1;
  return stage.witness.api.call(method, path, {
    token: uploader.token,
    body,
    headers: { 'idempotency-key': `uploader-${asked}` },
  });
}

async function allAreUnavailable(): Promise<void> {
  for (const name of processes) await expectReadiness(own(name), 'unavailable', ['postgres']);
}

/** Publishing what is ready goes on, reading too. */
async function uploadsAreRefused(load: Load): Promise<void> {
  await allGoesOn(load);
  const answer = await asUploader('POST', `/api/media/uploads/${waiting}/complete`);
  expect([answer.status, answer.body.code]).toEqual([503, 'dependency_unavailable']);
  await expectReadiness(own('command-api'), 'degraded', ['s3']);
}

let completed: string;
let waiting: string;

const idleCut = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'];

const faults: Fault[] = [
  {
    what: 'nginx is reloaded again and again',
    cuts: idleCut,
    async strike() {},
    async meanwhile(load) {
      for (let n = 0; n < 4; n += 1) {
        stack.signal('nginx', 'SIGHUP');
        await allGoesOn(load);
      }
    },
    async heal() {},
  },
  {
    what: 'nginx is started again',
    cuts: [...idleCut, 'ECONNREFUSED'],
    strike: () => stack.down('nginx'),
    async meanwhile() {
      expect(await stack.isReady('nginx')).toBe(false);
    },
    heal: () => stack.up(),
  },
  {
    what: 'each of our processes is killed',
    async strike() {},
    async meanwhile() {
      for (const name of processes) await killKept(name);
    },
    async heal() {},
  },
  {
    what: 'the object store does not answer, and is killed',
    async strike() {
      [completed, waiting] = [await put(), await put()];
      signal('media-pipeline', 'SIGSTOP');
      expectStatus(await asUploader('POST', `/api/media/uploads/${completed}/complete`), 202);
      stack.signal('s3', 'SIGSTOP');
      signal('media-pipeline', 'SIGCONT');
    },
    async meanwhile(load) {
      await uploadsAreRefused(load);
      stack.signal('s3', 'SIGKILL');
      await uploadsAreRefused(load);
      await expectReadiness(own('media-pipeline'), 'degraded', ['consumer']);
    },
    async heal() {
      await stack.down('s3');
      await stack.up();
    },
    async afterwards() {
      const media = await asUploader('GET', `/api/media/${completed}`);
      expect([media.status, media.body.state]).toEqual([200, 'ready']);
      expectStatus(await asUploader('POST', `/api/media/uploads/${waiting}/complete`), 202);
    },
  },
  {
    what: 'Postgres does not answer',
    strike: async () => stack.signalAll('postgres', 'SIGSTOP'),
    async meanwhile(load) {
      await load.isRefused('dependency_unavailable');
      await allAreUnavailable();
    },
    heal: async () => stack.signalAll('postgres', 'SIGCONT'),
  },
  {
    what: 'Postgres is killed, and stopped in order',
    strike: async () => stack.signal('postgres', 'SIGKILL'),
    async meanwhile(load) {
      await load.isRefused('dependency_unavailable');
      await allAreUnavailable();
      await stack.up();
      await allGoesOn(load);
      await stack.down('postgres');
      await load.isRefused('dependency_unavailable');
    },
    heal: () => stack.up(),
  },
  {
    what: 'the registry is stopped, and our processes are started without it',
    async strike() {
      stack.signal('registry', 'SIGKILL');
    },
    async meanwhile(load) {
      await allGoesOn(load);
      for (const name of processes) signal(name, 'SIGKILL');
      await load.isRefused('outcome_unknown');
      await load.goesOn('reads');
    },
    heal: () => stack.up(),
  },
];

test.each(faults)('$what', (fault) => liveThrough(stage, fault));
