import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ask } from '../../tools/operate/ask.ts';
import { createClient, expectStatus, type Person } from '../harness/client.ts';
import type { Service, ServiceName } from '../harness/services.ts';
import { startWorld, type World } from '../harness/world.ts';
import { compareWithOracle } from '../oracle/compare.ts';
import { createHistory } from '../oracle/history.ts';
import { play } from '../oracle/play.ts';
import { makeNextRelease, type Release } from './release.ts';

const patience = { timeout: 120_000, interval: 200 };
const history = createHistory(process.env.EVOLUTION_SEED ?? 'evolution', { people: 4, steps: 100 });

let world: World;
let release: Release;
/** Who answers for each service now, in turns, as the front door has it. */
let answering: Record<ServiceName, Service[]>;

beforeAll(async () => {
  release = makeNextRelease();
  world = await startWorld();
  answering = Object.fromEntries(
    Object.entries(world.services).map(([name, service]) => [name, [service]]),
  ) as typeof answering;
}, 180_000);
afterAll(async () => {
  await world?.stop();
  release?.remove();
});

/** The world through a front door that gives each request to the next process of its service. */
function throughTheDoor(): World {
  const turn = (name: ServiceName): Service => {
    const all = answering[name];
    all.push(all.shift()!);
    return all[0]!;
  };
  const services = Object.fromEntries(
    Object.entries(world.services).map(([name, service]) => [
      name,
      Object.defineProperty({ ...service }, 'url', { get: () => turn(name as ServiceName).url }),
    ]),
  ) as World['services'];
  return { ...world, services, api: createClient(services) };
}

async function come(...names: ServiceName[]): Promise<void> {
  for (const name of names) {
    const service = await world.another(name, release.sources);
    await service.start();
    answering[name].push(service);
  }
}

/** The front door gives it no more, then it ends what it has. */
async function leave(...names: ServiceName[]): Promise<void> {
  for (const name of names) {
    const [old] = answering[name].filter((service) => service === world.services[name]);
    answering[name] = answering[name].filter((service) => service !== old);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await old!.stop();
  }
}

async function served(model: string): Promise<number> {
  const { rows } = await world.owner.query(
    'SELECT definition FROM engine.serving JOIN engine.version USING (model, version) WHERE model = $1',
    [model],
  );
  return rows[0].definition;
}

/** Consumers first: who reads knows the new field before anybody writes it (DESIGN §2 rule 6). */
async function roll(): Promise<void> {
  release.prepare(world.env);
  await come('projectors', 'reactors', 'media-pipeline');
  await vi.waitFor(async () => expect(await served('posts')).toBe(3), patience);
  await come('query-api', 'stream', 'command-api');
  // Old and new answer side by side for a while.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await leave('command-api', 'query-api', 'stream', 'media-pipeline', 'reactors', 'projectors');
  // Nobody has the code of the former definition any more: what it made would stand still from here on.
  const gone = await ask(world.owner, {
    kind: 'drop',
    model: 'posts',
    arguments: { version: 1 },
    askedBy: 'test',
  });
  expect(gone).toMatchObject({ outcome: 'done' });
}

/** Somebody who writes and reads all the time: each answer is there, and is theirs. */
async function useUntil(over: () => boolean, door: World): Promise<number> {
  const person: Person = await door.api.register();
  const photo = await door.api.upload(person);
  let rounds = 0;
  while (!over()) {
    const post = await door.api.publish(person, [photo], `round ${rounds}`);
    expectStatus(await door.api.as(person, 'POST', `/api/posts/${post}/like`), 200);
    const read = await door.api.as(person, 'GET', `/api/posts/${post}`);
    expectStatus(read, 200);
    expect(read.body).toMatchObject({ caption: `round ${rounds}`, likeCount: 1, likedByViewer: true });
    const feed = await door.api.as(person, 'GET', '/api/feed?limit=1');
    expectStatus(feed, 200);
    expect(feed.body.items[0]).toMatchObject({ id: post });
    rounds += 1;
  }
  return rounds;
}

test('a field more in a released event and a model that shows it are rolled out under load: nothing is refused, nothing differs', {
  timeout: 600_000,
}, async () => {
  const door = throughTheDoor();
  let over = false;
  const using = useUntil(() => over, door);
  const playing = play(door, history, { patienceMs: 120_000 });
  using.catch(() => {});
  playing.catch(() => {});
  await roll();
  await playing;
  over = true;
  expect(await using).toBeGreaterThan(3);
  await world.drained(patience.timeout);
  await compareWithOracle(door, history);
  expect(release.verify(world.env)).toMatchObject({ equal: true });
  const { rows } = await world.owner.query(
    'SELECT DISTINCT language FROM posts_v2.post WHERE live ORDER BY language',
  );
  expect(rows).toEqual([{ language: 'und' }, { language: null }]);
});
