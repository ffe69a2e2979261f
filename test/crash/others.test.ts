import { afterAll, beforeAll, test } from 'vitest';
import { startWorld, type World } from '../harness/world.ts';
import { pointsInSource } from './points.ts';
import { deathLimitMs, openDeaths, worldOptions } from './stage.ts';

const points = (await pointsInSource()).filter(({ service }) => service !== 'projectors');
let world: World;
let deaths: ReturnType<typeof openDeaths>;
beforeAll(async () => {
  world = await startWorld(worldOptions);
  deaths = openDeaths(world, points);
}, 180_000);
afterAll(() => world?.stop());

test.each(points)(
  '$service that dies at $name leaves nothing wrong behind',
  (point) => deaths.dieAt(point),
  deathLimitMs,
);
