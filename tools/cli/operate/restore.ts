import type { Command } from 'commander';
import type { RestoreReport } from '../../operate/backup/restore.ts';

interface Options {
  from: string;
  replace?: boolean;
  missing?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('restore')
    .description('put a backup back: into a new database, or into one whose services are stopped')
    .requiredOption('--from <file>', 'a file of emulsion backup')
    .option('--replace', 'throw away what the vault holds, the accounts made since the backup too')
    .option('--missing', 'only rows of the vault that are not there; nothing is overwritten')
    .option('--json', 'print one JSON object')
    .action((options: Options) => run(options));
}

async function run({ from, replace, missing, json }: Options): Promise<void> {
  const { stackEnvironment } = await import('../../../deploy/native/environment.ts');
  const { failure } = await import('../../../deploy/native/failure.ts');
  const { restore } = await import('../../operate/backup/restore.ts');
  if (replace && missing)
    throw failure('--replace and --missing exclude each other.', 'Say one, or neither for a new database.');
  const report = await restore(stackEnvironment(), from, replace ? 'replace' : missing ? 'missing' : 'empty');
  console.log(json ? JSON.stringify(report) : await inWords(report));
}

async function inWords(report: RestoreReport): Promise<string> {
  const { formatTable } = await import('../../operate/table.ts');
  const { since, frames, rebuilds } = report;
  const rows = Object.entries(report.rows).map(([table, count]) => [table, String(count)]);
  const lines = [
    formatTable([['table', 'rows put back'], ...rows]),
    `as of     ${report.madeAt}`,
    `registry  ${report.registry}`,
  ];
  if (since) lines.push(`log       ${since.events} events were appended since`);
  if (since && since.lostAccounts > 0)
    lines.push(
      `LOST      ${since.lostAccounts} accounts were registered since. Their passwords and data keys are gone: nobody can log in to them or read them, and their names are free again.`,
    );
  if (report.erased > 0)
    lines.push(`erased    ${report.erased} accounts of the backup were erased since: they are so again`);
  if (frames)
    lines.push(
      `stream    ${frames.frames} frames that ${frames.people} people were told of since keep their numbers`,
    );
  if (frames && frames.forgotten > 0)
    lines.push(
      `          ${frames.forgotten} people get frames numbered anew: Redis does not hold all that they were told`,
    );
  if (rebuilds.length > 0) lines.push(`rebuild   ${rebuilds.join(', ')}, once the projectors run`);
  lines.push(
    'Start the services: npx emulsion up. Models without tables are built from the log by themselves.',
  );
  return lines.join('\n');
}
