import type { Command } from 'commander';
import type { TestCounts } from './test-run.ts';

export function register(program: Command): void {
  program
    .command('test')
    .description('run the tests against a fresh stack of their own; the last line is "N passed, N failed"')
    .argument('[vitest...]', 'file filters and options for vitest')
    .allowUnknownOption()
    .action(async (args: string[]) => {
      const counts = await runTests(args);
      console.log(`${counts.passed} passed, ${counts.failed} failed`);
      process.exitCode = counts.failed > 0 ? 1 : 0;
    });
}

/** Never throws: a stack that can't be started is one failure, told before the counts. */
async function runTests(args: string[]): Promise<TestCounts> {
  const { untilInterrupted } = await import('./interrupt.ts');
  try {
    return await untilInterrupted((signal) => withStack(args, signal));
  } catch (error) {
    console.error(`emulsion: ${error instanceof Error ? error.message : String(error)}`);
    if (process.env.DEBUG && error instanceof Error) console.error(error.stack);
    return { passed: 0, failed: 1 };
  }
}

/** The servers only: tests start the services themselves, as many and as configured as each needs. */
async function withStack(args: string[], signal: AbortSignal): Promise<TestCounts> {
  const { runVitest } = await import('./test-run.ts');
  const { resolvePaths } = await import('../../../deploy/native/paths.ts');
  const { repo } = resolvePaths({});
  // Addresses are given: this machine's or another's servers, not ours to start or stop.
  if (process.env.EMULSION_TEST_ENV === 'external') return runVitest(repo, args, process.env, signal);
  const { up } = await import('../../../deploy/native/up.ts');
  const { takeDown } = await import('../../../deploy/native/take-down.ts');
  const { afterServers } = await import('./steps.ts');
  const { claimPlace } = await import('./test-run.ts');
  const { engineAnswers } = await import('../../../deploy/native/compose.ts');
  const { env, release } = await claimPlace(repo);
  try {
    if (await engineAnswers(env)) {
      const { openReapedProject } = await import('./test-containers.ts');
      await openReapedProject(env);
    }
    const { stack } = await up({ env, partsOnly: true, afterServers: afterServers(), signal });
    return await runVitest(repo, args, { ...env, ...stack }, signal);
  } finally {
    await takeDown({ env });
    release();
  }
}
