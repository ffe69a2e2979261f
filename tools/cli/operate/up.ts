import type { Command } from 'commander';
import type { UpOptions } from '../../../deploy/native/up.ts';

export function register(program: Command): void {
  program
    .command('up')
    .description('install what is missing and start the stack in the background')
    .option('--parts-only', 'only the servers, none of our processes')
    .option('--without <service...>', 'leave services out')
    .action(async (options: Pick<UpOptions, 'partsOnly' | 'without'>) => {
      const { up } = await import('../../../deploy/native/up.ts');
      const { afterServers, beforeServices } = await import('../../stack/steps.ts');
      const { untilInterrupted } = await import('../../stack/interrupt.ts');
      const { stack, context } = await untilInterrupted((signal) =>
        up({ ...options, afterServers: afterServers(), beforeServices: beforeServices(), signal }),
      );
      console.log(`emulsion is up: ${stack.PUBLIC_URL}`);
      console.log(`logs: ${context.paths.logs}\nstop: npx emulsion down`);
    });
}
