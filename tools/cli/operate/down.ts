import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('down')
    .description('stop the stack; its data stays')
    .action(async () => {
      const { takeDown } = await import('../../../deploy/native/take-down.ts');
      const stopped = await takeDown();
      console.log(
        stopped.length > 0 ? 'emulsion is down; its data is kept.' : 'Nothing of this stack was running.',
      );
    });
}
