import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('rollback')
    .description('lead readers to the version before, which has everything that was written since')
    .argument('<model>')
    .option('--json', 'print one JSON object')
    .action(async (model: string, options: { json?: boolean }) => {
      const { carryOut } = await import('../../operate/carry-out.ts');
      await carryOut({ kind: 'rollback', model }, options);
    });
}
