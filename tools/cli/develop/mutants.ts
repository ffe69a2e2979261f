import { type Command, InvalidArgumentError } from 'commander';

interface Options {
  only?: string;
  from: number;
}

export function register(program: Command): void {
  program
    .command('mutants')
    .description(
      'plant the bugs of test/mutation, one at a time, in a copy of the tree; the last line is "K/N killed"',
    )
    .option('--only <name>', 'those with this in their name or file')
    .option('--from <n>', 'from the nth on', positive, 1)
    .action(async (options: Options) => {
      const { untilInterrupted } = await import('../../stack/interrupt.ts');
      await untilInterrupted((signal) => run(options, signal));
    });
}

async function run({ only, from }: Options, signal: AbortSignal): Promise<void> {
  const { catalogue } = await import('../../../test/mutation/catalogue.ts');
  const { failure } = await import('../../../deploy/native/failure.ts');
  const { inTestStack } = await import('../../stack/test-stack.ts');
  const { runMutants } = await import('../../mutants/run.ts');
  const mutants = catalogue
    .filter(({ name, file }) => !only || name.includes(only) || file.includes(only))
    .slice(from - 1);
  if (mutants.length === 0)
    throw failure('No mutant is meant.', 'See the names in test/mutation/catalogue.ts.');
  const say = (line: string): void => console.log(line);
  const killed = await inTestStack(signal, (env) => runMutants({ mutants, env, signal, say }));
  console.log(`${killed}/${mutants.length} killed`);
  process.exitCode = killed === mutants.length ? 0 : 1;
}

function positive(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}
