import { OracleDifference } from './compare.ts';
import { type History, historyOf } from './history.ts';
import { describePlan, type Plan } from './plan.ts';
import { type ShrinkLimits, shrink } from './shrink.ts';

/** Plays the history if it is not played yet, and throws an OracleDifference. */
export type Check = (history: History) => Promise<void>;

const shrinking: ShrinkLimits = { runs: 60, withinMs: 300_000 };

/**
 * Checks a history. When there is a difference, looks for a small history that shows it too, with new people in the
 * same world, and throws both with the line that repeats the whole.
 */
export async function holds(history: History, check: Check, limits = shrinking): Promise<void> {
  const { plan } = history;
  try {
    await check(history);
  } catch (error) {
    const found = (error as Error).message;
    if (!(error instanceof OracleDifference)) throw new Error(`${repeat(plan)}\n${found}`, { cause: error });
    const small = await shrink(plan, (smaller) => differenceIn(smaller, check), limits);
    const shown =
      small.failure === null
        ? 'Played again it is all right: it is a matter of moments.'
        : `The smallest history found in ${small.runs} playings:\n${describePlan(small.plan)}\n${small.failure}`;
    throw new Error([repeat(plan), found, shown].join('\n\n'));
  }
}

/** The whole of it again. */
function repeat({ seed, steps }: Plan): string {
  const asked = steps.filter(({ early }) => !early).length;
  return `ORACLE_SEED=${seed} ORACLE_STEPS=${asked} npm test -- test/oracle`;
}

/** What is wrong after a playing of the plan; null when nothing is. */
export async function differenceIn(plan: Plan, check: Check): Promise<string | null> {
  try {
    await check(historyOf(plan));
    return null;
  } catch (error) {
    if (error instanceof OracleDifference) return error.message;
    throw error;
  }
}
