import { type Command, InvalidArgumentError } from 'commander';

export function register(program: Command): void {
  program
    .command('drop')
    .description(
      'drop a version of a model that readers are not led to; a rollback to it is not possible any more',
    )
    .argument('<model>')
    .requiredOption('--version <n>', 'which one (see emulsion projections)', versionNumber)
    .option('--json', 'print one JSON object')
    .action(async (model: string, options: { version: number; json?: boolean }) => {
      const { carryOut } = await import('../../operate/carry-out.ts');
      await carryOut({ kind: 'drop', model, arguments: { version: options.version } }, options);
    });
}

function versionNumber(text: string): number {
  const version = Number(text);
  if (!Number.isInteger(version) || version < 1) throw new InvalidArgumentError('a whole number from 1.');
  return version;
}
