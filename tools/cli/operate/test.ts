import type { Command } from 'commander';
import type { TestCounts } from '../../stack/test-run.ts';

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
  const { untilInterrupted } = await import('../../stack/interrupt.ts');
  try {
    return await untilInterrupted((signal) => withStack(args, signal));
  } catch (error) {
    console.error(`emulsion: ${error instanceof Error ? error.message : String(error)}`);
    if (process.env.DEBUG && error instanceof Error) console.error(error.stack);
    return { passed: 0, failed: 1 };
  }
}

async function withStack(args: string[], signal: AbortSignal): Promise<TestCounts> {
  const { runVitest } = await import('../../stack/test-run.ts');
  const { inTestStack } = await import('../../stack/test-stack.ts');
  const { resolvePaths } = await import('../../../deploy/native/paths.ts');
  const { repo } = resolvePaths({});
  return inTestStack(signal, (env) => runVitest(repo, args, env, signal));
}
