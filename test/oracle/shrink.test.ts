import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../harness/world.ts';
import { compareWithOracle } from './compare.ts';
import { createPlan } from './generate.ts';
import { createHistory, type History } from './history.ts';
import { differenceIn, holds } from './holds.ts';
import { createOracle, type MakeOracle } from './oracle.ts';
import { describePlan, namesIn, type Plan, stepOf, withoutLooseEnds } from './plan.ts';
import { play } from './play.ts';
import { shrink } from './shrink.ts';

const plan = createPlan('shrink', { people: 6, steps: 400 });
const limits = { runs: 400, withinMs: 60_000 };

describe('a plan', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(createPlan('shrink', { people: 6, steps: 400 })).toEqual(plan);
    expect(describePlan(createPlan('other', { people: 6, steps: 400 }))).not.toBe(describePlan(plan));
  });

  it('has no loose ends, nor has any part of it', () => {
    expect(withoutLooseEnds(plan)).toEqual(plan);
    const part = withoutLooseEnds({ ...plan, steps: plan.steps.filter(({ id }) => id % 3 > 0) });
    const made = new Set(part.steps.map(({ id }) => id));
    const about = part.steps.flatMap(({ act }) => namesIn(act).map(stepOf)).filter((id) => id !== null);
    expect(part.steps.length).toBeGreaterThan(50);
    expect(about.filter((id) => !made.has(id))).toEqual([]);
  });
});

describe('shrinking', () => {
  const has = (some: Plan, what: string): boolean => some.steps.some(({ act }) => act.do === what);

  it('leaves what the failure needs, and nothing else', async () => {
    const fails = async (some: Plan) => (has(some, 'delete') && has(some, 'unfollow') ? 'wrong' : null);
    const { plan: small, failure } = await shrink(plan, fails, limits);
    expect(failure).toBe('wrong');
    const kinds = small.steps.map(({ act }) => act.do);
    expect(kinds.toSorted()).toEqual(expect.arrayContaining(['delete', 'unfollow']));
    // A delete needs its post, which needs its photograph.
    expect(small.steps.length).toBeLessThanOrEqual(5);
    expect(small.cast.length).toBeLessThanOrEqual(3);
  });

  it('says so when nothing fails again', async () => {
    expect(await shrink(plan, async () => null, limits)).toEqual({ plan, failure: null, runs: 1 });
  });

  it('ends after as many playings as it may take', async () => {
    const { runs } = await shrink(plan, async () => 'wrong', { runs: 7, withinMs: 60_000 });
    expect(runs).toBe(7);
  });
});

/** A rule that is wrong on purpose. */
const unfollowsAreForgotten: MakeOracle = (facts, publicUrl) =>
  createOracle(
    facts.filter(({ what }) => what !== 'unfollowed'),
    publicUrl,
  );

describe('with a wrong rule', { timeout: 300_000 }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ services: ['command-api', 'query-api', 'projectors', 'media-pipeline'] });
  }, 180_000);
  afterAll(() => world?.stop());

  const check = async (history: History): Promise<void> => {
    await play(world, history);
    await world.drained(120_000);
    await compareWithOracle(world, history, {
      makeOracle: unfollowsAreForgotten,
      without: ['openStream'],
    });
  };

  it('a small history comes out, and how to repeat the whole', async () => {
    const history = createHistory('planted', { people: 3, steps: 40 });
    const wrong = await holds(history, check, { runs: 40, withinMs: 120_000 }).catch((error: Error) => error);
    expect(wrong?.message).toContain(`ORACLE_SEED=planted ORACLE_STEPS=40 npm test -- test/oracle`);
    expect(wrong?.message).toMatch(/GET \/api\/users\/\w+\/follow/);
    const [, small] = wrong!.message
      .split(/The smallest history found in \d+ playings:\n|\n\d+ differences/)
      .slice(-3);
    const lines = small!.split('\n').slice(1);
    expect(lines.length, wrong!.message).toBeLessThanOrEqual(4);
    expect(small).toContain('unfollow');
  });

  it('and a history without what the rule is about is all right', async () => {
    const { cast, steps, seed } = createPlan('planted', { people: 2, steps: 0 });
    expect(await differenceIn({ cast, steps, seed }, check)).toBeNull();
  });
});
