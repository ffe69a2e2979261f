import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('resume')
    .description('let a paused model go on from where it was halted')
    .argument('<model>')
    .option('--json', 'print one JSON object')
    .action(async (model: string, options: { json?: boolean }) => {
      const { carryOut } = await import('../../operate/carry-out.ts');
      await carryOut({ kind: 'resume', model }, options);
    });
}
