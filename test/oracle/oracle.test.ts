import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allRoutes } from '../../schemas/routes.ts';
import { startWorld, type World } from '../harness/world.ts';
import { comparedRoutes, compareWithOracle } from './compare.ts';
import { eraseOne } from './gone.ts';
import { createHistory, type History } from './history.ts';
import { holds } from './holds.ts';
import { play } from './play.ts';
import { remakeEverything } from './remake.ts';

const seed = process.env.ORACLE_SEED ?? 'oracle';
const steps = Number(process.env.ORACLE_STEPS ?? 1_500);
/** Of one wait, and of everything: a busy machine takes its time. */
const patience = 120_000 + 100 * steps;
const timeout = 4 * patience + 600_000;

it('every read that there is is compared', () => {
  const reads = allRoutes.filter(({ method }) => method === 'get').map(({ name }) => name);
  expect(comparedRoutes.toSorted()).toEqual(reads.toSorted());
});

describe(`after ${steps} steps of eight people at once (seed ${seed})`, { timeout }, () => {
  let world: World;
  const history = createHistory(seed, { people: 8, steps });

  beforeAll(async () => {
    // Some are followed by more than that: their posts come into feeds when they are read.
    world = await startWorld({ env: { EMULSION_FANOUT_THRESHOLD: '4' } });
  }, 180_000);
  afterAll(() => world?.stop());

  const playOnce = async (one: History): Promise<void> => {
    if (!one.played) await play(world, one, { patienceMs: patience });
    await world.drained(patience);
  };

  it('every read answers what it must', async () => {
    await holds(history, async (one) => {
      await playOnce(one);
      const { compared } = await compareWithOracle(world, one);
      // A smaller history that shows a difference need not have something of every kind.
      if (one === history) expect(Object.values(compared)).not.toContain(0);
    });
  });

  it('and again when every table and timeline was thrown away and made again', async () => {
    await holds(history, async (one) => {
      await playOnce(one);
      await remakeEverything(world, patience);
      await compareWithOracle(world, one);
    });
  });

  it('and again when one of them is gone, before and after everything is made again', async () => {
    await holds(history, async (one) => {
      await playOnce(one);
      await eraseOne(world, one);
      await world.drained(patience);
      await compareWithOracle(world, one);
      await remakeEverything(world, patience);
      await compareWithOracle(world, one);
    });
  });
});
