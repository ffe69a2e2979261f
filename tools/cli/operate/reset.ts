import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { failure } from '../../../deploy/native/failure.ts';

export function register(program: Command): void {
  program
    .command('reset')
    .description('stop the stack and delete all of its data, logs and secrets')
    .option('--yes', 'without asking')
    .action(async (options: { yes?: boolean }) => {
      const { resolvePaths } = await import('../../../deploy/native/paths.ts');
      const { reset } = await import('../../../deploy/native/take-down.ts');
      const { home } = resolvePaths(process.env);
      if (!options.yes) await confirm(home);
      await reset();
      console.log(`The data, logs and secrets in ${home} are deleted. Installed parts stay in the cache.`);
    });
}

async function confirm(home: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw failure('reset deletes all data and nobody is here to confirm.', 'Add --yes if that is wanted.');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(
    `This deletes every event and object in ${home}. Type "delete" to go on: `,
  );
  terminal.close();
  if (answer.trim() !== 'delete') throw failure('Nothing was deleted.', 'Type the word "delete" to confirm.');
}
