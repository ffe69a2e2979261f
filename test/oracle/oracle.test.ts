import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allRoutes } from '../../schemas/routes.ts';
import { startWorld, type World } from '../harness/world.ts';
import { comparedRoutes, compareWithOracle } from './compare.ts';
import { createHistory } from './history.ts';
import { play } from './play.ts';
import { remakeEverything } from './remake.ts';

const seed = process.env.ORACLE_SEED ?? 'oracle';
const steps = Number(process.env.ORACLE_STEPS ?? 1_500);
const patience = 120_000 + 200 * steps;

let world: World;
const history = createHistory(seed, { people: 8, steps });

beforeAll(async () => {
  // Some authors are followed by more than that: their posts come into feeds when they are read.
  world = await startWorld({ env: { EMULSION_FANOUT_THRESHOLD: '4' } });
}, 180_000);
afterAll(() => world?.stop());

it('every read that there is is compared', () => {
  const reads = allRoutes.filter(({ method }) => method === 'get').map(({ name }) => name);
  expect(comparedRoutes.toSorted()).toEqual(reads.toSorted());
});

describe(`after ${steps} steps of eight people at once`, { timeout: patience + 600_000 }, () => {
  it('every read answers what it must', async () => {
    await play(world, history, { patienceMs: patience });
    await world.drained(patience);
    const { compared, facts } = await compareWithOracle(world, history);
    console.log(JSON.stringify({ facts, compared }));
    expect(Object.values(compared).every((asked) => asked > 0)).toBe(true);
  });

  it('and again when every table and timeline was made again', async () => {
    await remakeEverything(world);
    await compareWithOracle(world, history);
  });
});
