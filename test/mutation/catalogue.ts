import { appendMutants } from './append.ts';
import { carefulMutants } from './careful.ts';
import { engineMutants } from './engine.ts';
import type { Mutant } from './mutant.ts';
import { parkingMutants } from './parking.ts';
import { positionMutants } from './positions.ts';
import { readingMutants } from './reading.ts';
import { rebuildMutants } from './rebuild.ts';
import { timelineMutants } from './timelines.ts';

/** Deliberate bugs, each of which the tests must notice: `npm run mutants`. */
export const catalogue: readonly Mutant[] = [
  ...positionMutants,
  ...engineMutants,
  ...parkingMutants,
  ...carefulMutants,
  ...rebuildMutants,
  ...timelineMutants,
  ...appendMutants,
  ...readingMutants,
];
