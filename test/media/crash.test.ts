import { createServer, connect as dial, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stackEnvironment } from '../../deploy/native/environment.ts';
import { readConfig } from '../../platform/process/config.ts';
import { withGps } from './pictures.ts';
import { openStage, type Stage, until } from './stage.ts';

const stages: Stage[] = [];

afterAll(() => Promise.all(stages.map((stage) => stage.close())), 60_000);

async function newStage(): Promise<Stage> {
  const stage = await openStage();
  stages.push(stage);
  return stage;
}

const points = ['after-fetch', 'after-make', 'after-store', 'after-append', 'after-position'];

describe('a crash', () => {
  const worlds = new Map<string, Stage>();

  beforeAll(async () => {
    for (const name of points) worlds.set(name, await newStage());
  }, 120_000);

  // Side by side: the broker takes a dead member of a group for alive until its session is over.
  it.concurrent.each(points)(
    'media.%s ends in exactly one outcome',
    async (name) => {
      const stage = worlds.get(name)!;
      const crashed = stage.start({ EMULSION_CRASH_POINT: `media.${name}:kill` });
      const photo = await stage.upload(await withGps());
      expect(await crashed.ended).toBe('SIGKILL');
      expect(crashed.said()).toContain(`crash point media.${name}`);

      stage.start();
      const second = await stage.upload(await withGps());
      const [outcome] = await stage.decided([photo, second]);
      expect(outcome!.type).toBe('MediaReady');
      // The log may hold the record twice; it is the same fact to the byte, so it counts once.
      const facts = stage.outcomes().filter((event) => event.mediaId === photo.mediaId);
      for (const fact of facts) expect(fact).toEqual(outcome);
      expect(stage.outcomes().filter((event) => event.mediaId === second.mediaId)).toHaveLength(1);
    },
    120_000,
  );
});

describe('an outage of the object store', () => {
  it('rejects nothing and is waited for', async () => {
    const stage = await newStage();
    const store = new URL(readConfig(stackEnvironment()).s3!.endpoint);
    const door = await closedDoor(store);
    const pipeline = stage.start({ S3_ENDPOINT: `http://127.0.0.1:${door.port}` });
    const photo = await stage.upload(await withGps());
    await until(() => pipeline.said().includes('batch is tried again'), 'the first retry');
    expect(stage.outcomes()).toEqual([]);
    door.open();
    const [outcome] = await stage.decided([photo]);
    expect(outcome!.type).toBe('MediaReady');
    expect(stage.outcomes()).toHaveLength(1);
    door.server.close();
  }, 120_000);
});

/** A way to the store that hangs up on everyone until it is opened. */
async function closedDoor(store: URL): Promise<{ port: number; open(): void; server: Server }> {
  let closed = true;
  const server = createServer((client) => {
    client.on('error', () => {});
    if (closed) return client.destroy();
    const upstream = dial(Number(store.port), store.hostname);
    upstream.on('error', () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    server,
    open() {
      closed = false;
    },
  };
}
