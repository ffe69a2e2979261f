import { afterAll, beforeAll, expect, it } from 'vitest';
import { isFailure } from '../../deploy/native/failure.ts';
import { resolvePaths } from '../../deploy/native/paths.ts';
import { silent } from '../../deploy/native/progress.ts';
import { allRoutes } from '../../schemas/routes.ts';
import { installFuzzer } from '../../tools/fuzz/install.ts';
import { fuzz } from '../../tools/fuzz/run.ts';
import { openFront } from '../harness/front.ts';
import { startWorld, type World } from '../harness/world.ts';

let world: World;
let front: Awaited<ReturnType<typeof openFront>>;

beforeAll(async () => {
  world = await startWorld();
  front = await openFront(world);
}, 180_000);
afterAll(async () => {
  front?.close();
  await world?.stop();
});

const seed = Number(process.env.EMULSION_FUZZ_SEED || 20_261_121);

/** Its absence is told, and is no failure but where all must be there. */
async function pythonOr(skip: (note: string) => never): Promise<string> {
  try {
    return await installFuzzer({ folder: resolvePaths(process.env).cache, progress: silent });
  } catch (error) {
    if (process.env.CI || !isFailure(error)) throw error;
    return skip(error.message);
  }
}

it('whatever is asked, the answer is one that the document has', { timeout: 400_000 }, async ({ skip }) => {
  const python = await pythonOr(skip);
  console.log(`fuzz: seed ${seed} (EMULSION_FUZZ_SEED)`);
  const phases = ['examples', 'coverage', 'fuzzing'] as const;
  const reports = await fuzz({ url: front.url, python, seed, examples: 10, seconds: null, phases });
  for (const { caller, requests, faults, text } of reports) {
    console.log(`fuzz: ${requests} requests as ${caller}`);
    if (faults.length > 0) console.log(text);
  }
  expect(reports.flatMap(({ faults }) => faults)).toEqual([]);
  for (const { endpoints, asked, complete, requests } of reports) {
    const all = allRoutes.length;
    expect({ endpoints, asked, complete }).toEqual({ endpoints: all, asked: all, complete: true });
    expect(requests).toBeGreaterThan(500);
  }
});
