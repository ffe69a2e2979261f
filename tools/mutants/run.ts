import path from 'node:path';
import { failure } from '../../deploy/native/failure.ts';
import { type Mutant, mutated } from '../../test/mutation/mutant.ts';
import { type Failure, firstFailure, type TestRun } from './tests.ts';
import { copyTree, type Tree } from './tree.ts';

const repo = path.resolve(import.meta.dirname, '../..');

export interface MutantsOptions {
  mutants: readonly Mutant[];
  /** Where the servers are that the tests use. */
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  say(line: string): void;
}

/**
 * Plants each bug in a copy of the tree, one at a time, and runs the tests that are to notice. Gives how many they
 * noticed. Throws when a bug does not fit the code any more, or when a test fails without any.
 */
export async function runMutants(options: MutantsOptions): Promise<number> {
  const { mutants, say } = options;
  const texts = new Map(mutants.map((mutant) => [mutant, mutated(repo, mutant)]));
  const tree = copyTree(repo);
  const run: TestRun = { ...options, root: tree.root };
  try {
    await mustPass(run, mutants, say);
    let killed = 0;
    for (const [index, mutant] of mutants.entries()) {
      const killer = await tryOut(tree, run, mutant, texts.get(mutant)!);
      if (killer) killed += 1;
      const outcome = killer ? `killed by ${killer.file}: ${killer.what}` : `SURVIVED: ${mutant.why}`;
      say(`${String(index + 1).padStart(2)} ${mutant.name} (${mutant.file}): ${outcome}`);
    }
    return killed;
  } finally {
    tree.remove();
  }
}

/** A test that fails anyway would kill every mutant. */
async function mustPass(run: TestRun, mutants: readonly Mutant[], say: MutantsOptions['say']): Promise<void> {
  const files = [...new Set(mutants.flatMap(({ tests }) => tests))].sort();
  say(`without any bug: ${files.length} test files …`);
  const failed = await firstFailure(run, files);
  if (failed)
    throw failure(
      `${failed.file} fails without any mutant: ${failed.what}`,
      'Mend that first, or what a mutant is killed by says nothing.',
    );
  say('without any bug: all pass');
}

/** One test file after the other, until one fails. */
async function tryOut(tree: Tree, run: TestRun, mutant: Mutant, text: string): Promise<Failure | null> {
  const restore = tree.plant(mutant.file, text);
  try {
    for (const file of mutant.tests) {
      const failed = await firstFailure(run, [file]);
      if (failed) return failed;
    }
    return null;
  } finally {
    restore();
  }
}
