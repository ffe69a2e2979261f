import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('backup')
    .description(
      'write what the log does not hold to a file: the vault, what reactors have told, the schemas',
    )
    .requiredOption('--to <file>', 'a new file; keep it as you keep the passwords of all accounts')
    .option('--json', 'print one JSON object')
    .action(async (options: { to: string; json?: boolean }) => {
      const { stackEnvironment } = await import('../../../deploy/native/environment.ts');
      const { backup } = await import('../../operate/backup/backup.ts');
      const { formatTable } = await import('../../operate/table.ts');
      const report = await backup(stackEnvironment(), options.to);
      if (options.json) {
        console.log(JSON.stringify(report));
        return;
      }
      const rows = Object.entries(report.rows).map(([table, count]) => [table, String(count)]);
      console.log(formatTable([['table', 'rows'], ...rows]));
      console.log(
        `${report.schemas} schemas${report.registryExported ? ', with the registry’s export' : ''}`,
      );
      if (!report.registryExported)
        console.log('The registry has no export that we know: back up its own database beside this file.');
      console.log(`${report.file}: ${report.bytes} bytes, as of ${report.madeAt}`);
      console.log(
        'Not in it: the log itself, the photographs (S3), and the secrets folder with the master key.',
      );
    });
}
