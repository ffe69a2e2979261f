import type { Command } from 'commander';
import type { PartStatus } from '../../../deploy/native/status.ts';
import { formatTable } from '../../operate/table.ts';

export function register(program: Command): void {
  program
    .command('status')
    .description('say which parts of the stack run, where, and whether they answer')
    .option('--json', 'as JSON, for programs')
    .action(async (options: { json?: boolean }) => {
      const { stackStatus } = await import('../../../deploy/native/status.ts');
      const status = await stackStatus();
      console.log(options.json ? JSON.stringify(status, null, 2) : table(status));
      if (!options.json && status.some((part) => part.state === 'elsewhere')) {
        console.log('elsewhere: something answers on that port that this home did not start.');
      }
    });
}

function table(status: PartStatus[]): string {
  const rows = status.map((part) => [
    part.name,
    part.version,
    part.state,
    part.pid ? String(part.pid) : '-',
    part.ports.join(','),
    part.log,
  ]);
  return formatTable([['part', 'version', 'state', 'pid', 'ports', 'log'], ...rows]);
}
