import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('pause')
    .description('halt a model where it is: no process applies its events until it is resumed')
    .argument('<model>')
    .option('--json', 'print one JSON object')
    .action(async (model: string, options: { json?: boolean }) => {
      const { carryOut } = await import('../../operate/carry-out.ts');
      await carryOut({ kind: 'pause', model }, options);
    });
}
