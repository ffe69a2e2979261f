import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('switch')
    .description('lead readers to the build of a model that is ready (made with rebuild --no-switch)')
    .argument('<model>')
    .option('--json', 'print one JSON object')
    .action(async (model: string, options: { json?: boolean }) => {
      const { carryOut } = await import('../../operate/carry-out.ts');
      await carryOut({ kind: 'switch', model }, options);
    });
}
