import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../harness/world.ts';
import { pointsInSource } from './points.ts';
import { deathLimitMs, openDeaths, worldOptions } from './stage.ts';

const all = await pointsInSource();
const points = all.filter(({ service }) => service === 'projectors');
let world: World;
let deaths: ReturnType<typeof openDeaths>;
beforeAll(async () => {
  world = await startWorld(worldOptions);
  deaths = openDeaths(world, points);
}, 180_000);
afterAll(() => world?.stop());

test('the source names points, each with a name of its own', () => {
  const names = all.map(({ name }) => name);
  expect(names.length).toBeGreaterThan(35);
  expect(names).toEqual([...new Set(names)]);
});

test.each(points)(
  'projectors that die at $name leave nothing wrong behind',
  (point) => deaths.dieAt(point),
  deathLimitMs,
);
