import { type Command, Option } from 'commander';
import type { RebuildOptions } from '../../operate/rebuild.ts';

export function register(program: Command): void {
  program
    .command('rebuild')
    .description(
      'make a model again from the log beside the served version, verify it, and lead readers to it',
    )
    .argument('<model>')
    .option(
      '--watch',
      'show how far each partition is, until it is done; attaches to a build that is under way',
    )
    .option('--no-switch', 'stop when it is verified: emulsion switch MODEL leads readers there')
    .addOption(
      new Option('--user <id>', 'only the rows that name this user, in the served version').conflicts([
        'post',
        'since',
      ]),
    )
    .addOption(new Option('--post <id>', 'only the rows that name this post').conflicts('since'))
    .option('--since <time>', 'only the rows whose newest event is not older, such as 2026-05-01T00:00:00Z')
    .option('--json', 'print one JSON object (with --watch one a second)')
    .action(async (model: string, options: RebuildOptions) => {
      const { rebuild } = await import('../../operate/rebuild.ts');
      await rebuild(model, options);
    });
}
