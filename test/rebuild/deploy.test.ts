import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readConfig } from '../../platform/process/config.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { createMetrics } from '../../platform/telemetry/metrics.ts';
import { likes } from '../../projectors/content/like.model.ts';
import { type Control, openControl } from '../../projectors/engine/control/loop.ts';
import { plainProjection } from '../../projectors/engine/projection.ts';
import type { Engine } from '../../projectors/engine/runner.ts';
import { openEngine } from '../../projectors/process.ts';
import { models } from '../../projectors/registry.ts';
import { ask } from '../../tools/operate/ask.ts';
import { expectStatus, type Person } from '../harness/client.ts';
import { startWorld, type World } from '../harness/world.ts';

let world: World;
let engine: Engine;
let control: Control | undefined;
let person: Person;
let post: string;
beforeAll(async () => {
  world = await startWorld({ services: ['command-api', 'query-api', 'projectors', 'media-pipeline'] });
  person = await world.api.register();
  post = await world.api.publish(person, [await world.api.upload(person)]);
  await world.drained();
  expectStatus(await like(), 200);
  // What a deploy starts beside the processes of before.
  const config = readConfig({ ...world.env, DATABASE_URL: world.env.PROJECTOR_DATABASE_URL });
  engine = await openEngine('projectors', config, createLogger('test', 'silent'), createMetrics('test'));
});
afterAll(async () => {
  await control?.close();
  await engine?.pauses.close();
  await engine?.pool.end();
  await world?.stop();
});

const like = () => world.api.as(person, 'POST', `/api/posts/${post}/like`);
const unlike = () => world.api.as(person, 'DELETE', `/api/posts/${post}/like`);

async function served(): Promise<{ version: number; definition: number }> {
  const { rows } = await world.owner.query(
    `SELECT version, definition FROM engine.serving JOIN engine.version USING (model, version) WHERE model = 'likes'`,
  );
  return rows[0];
}

async function likeCount(): Promise<number> {
  return (await world.api.as(person, 'GET', `/api/posts/${post}`)).body.likeCount;
}

test('a new definition of a model is built by its deploy, beside the old one that goes on being projected and served', async () => {
  const next = { ...likes, version: likes.version + 1 };
  const both = [...models, next].map(plainProjection);
  control = await openControl({
    engine,
    projections: both,
    databaseUrl: world.env.PROJECTOR_DATABASE_URL!,
    rebuildsAtOnce: 1,
    postgresData: null,
    environment: { ...world.env, DATABASE_URL: world.env.PROJECTOR_DATABASE_URL },
  });
  await vi.waitFor(async () => expect(await served()).toEqual({ version: 2, definition: next.version }), {
    timeout: 100_000,
    interval: 100,
  });
  expectStatus(await unlike(), 200);
  expect(await likeCount()).toBe(0);
  // The former code may go away or come back: a rollback leads to what its processes have projected meanwhile.
  const back = await ask(world.owner, { kind: 'rollback', model: 'likes', askedBy: 'test' });
  expect(back).toMatchObject({ outcome: 'done' });
  expect(await served()).toEqual({ version: 1, definition: likes.version });
  expect(await likeCount()).toBe(0);
  expectStatus(await like(), 200);
  expect(await likeCount()).toBe(1);
  // Whoever went back on purpose is not led forward again by the next look.
  expect((await world.owner.query('SELECT count(*)::int AS builds FROM engine.rebuild')).rows[0].builds).toBe(
    1,
  );
});
