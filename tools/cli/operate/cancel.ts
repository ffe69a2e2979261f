import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('cancel')
    .description('end the build of a model that is under way and drop what it has made')
    .argument('<model>')
    .option('--json', 'print one JSON object')
    .action(async (model: string, options: { json?: boolean }) => {
      const { carryOut } = await import('../../operate/carry-out.ts');
      await carryOut({ kind: 'cancel', model }, options);
    });
}
