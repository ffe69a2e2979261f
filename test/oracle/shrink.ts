import { describePlan, type Plan, type Step, withoutLooseEnds } from './plan.ts';

/** Says what is wrong with a playing of the plan; null when nothing is. Each playing has people of its own. */
export type Fails = (plan: Plan) => Promise<string | null>;

export interface Shrunk {
  plan: Plan;
  /** Of the smallest plan; null when it did not fail again at all: then it is a matter of moments. */
  failure: string | null;
  runs: number;
}

/** Playings at most, and milliseconds after which no other is begun. */
export interface ShrinkLimits {
  runs: number;
  withinMs: number;
}

/**
 * A smaller plan that still fails: leaves out whole people, then halves, quarters … single steps, then parts of storms,
 * as long as that gets somewhere. A plan that fails only sometimes comes out larger than it need be.
 */
export async function shrink(plan: Plan, fails: Fails, limits: ShrinkLimits): Promise<Shrunk> {
  const until = performance.now() + limits.withinMs;
  const best: Shrunk = { plan, failure: null, runs: 0 };
  const tried = new Set<string>();
  const isOver = (): boolean => best.runs >= limits.runs || performance.now() > until;
  const attempt = async (smaller: Plan): Promise<boolean> => {
    if (isOver()) return false;
    const next = withoutLooseEnds(smaller);
    const text = describePlan(next);
    if (next.steps.length === 0 || tried.has(text)) return false;
    tried.add(text);
    best.runs += 1;
    const failure = await fails(next);
    if (failure === null) return false;
    best.plan = next;
    best.failure = failure;
    return true;
  };
  if (!(await attempt(plan))) return best;
  for (let before = Infinity; sizeOf(best.plan) < before && !isOver(); ) {
    before = sizeOf(best.plan);
    await withoutPeople(best, attempt);
    await withoutSteps(best, attempt);
    await withoutPartsOfStorms(best, attempt);
  }
  return best;
}

type Attempt = (plan: Plan) => Promise<boolean>;

function sizeOf({ cast, steps }: Plan): number {
  const acts = steps.map(({ act }) => (act.do === 'storm' ? act.acts.length : 1));
  return acts.reduce((sum, count) => sum + count, cast.length);
}

async function withoutPeople(best: Shrunk, attempt: Attempt): Promise<void> {
  for (const { name } of best.plan.cast.toReversed())
    await attempt({ ...best.plan, cast: best.plan.cast.filter((member) => member.name !== name) });
}

/** From the end: what comes late depends on the rest, and nothing on it. */
async function withoutSteps(best: Shrunk, attempt: Attempt): Promise<void> {
  for (
    let size = Math.ceil(best.plan.steps.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let end = best.plan.steps.length; end > 0; end -= size) {
      const { steps } = best.plan;
      const rest = [...steps.slice(0, Math.max(0, end - size)), ...steps.slice(end)];
      if (rest.length < steps.length) await attempt({ ...best.plan, steps: rest });
    }
  }
}

async function withoutPartsOfStorms(best: Shrunk, attempt: Attempt): Promise<void> {
  for (const { id } of best.plan.steps) {
    for (let part = partsOf(best.plan, id) - 1; part >= 0 && partsOf(best.plan, id) > 1; part -= 1)
      await attempt({
        ...best.plan,
        steps: best.plan.steps.map((step) => (step.id === id ? less(step, part) : step)),
      });
  }
}

function partsOf({ steps }: Plan, id: number): number {
  const act = steps.find((step) => step.id === id)?.act;
  return act?.do === 'storm' ? act.acts.length : 0;
}

function less(step: Step, part: number): Step {
  if (step.act.do !== 'storm') return step;
  return { ...step, act: { ...step.act, acts: step.act.acts.filter((_, index) => index !== part) } };
}
