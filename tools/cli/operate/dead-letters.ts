import { type Command, InvalidArgumentError } from 'commander';
import type { Options, Said } from '../../operate/dead-letters/commands.ts';

type Commands = typeof import('../../operate/dead-letters/commands.ts');
type Environment = Record<string, string | undefined>;

export function register(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('records that a model can not apply, and those of their keys that wait behind them');
  limited(selecting(letters.command('list')), 'keys', 100)
    .description('one line a key: what is wrong with its first record, how many wait, since when')
    .action((options: Options) => run(({ list }, env) => list(env, options)));
  limited(selecting(letters.command('show')), 'records', 20)
    .description('what a record says, its personal fields by their length only')
    .argument('[letter]', 'such as likes:like-events/3/17; or all of a --key')
    .action((letter: string | undefined, options: Options) =>
      run(({ show }, env) => show(env, letter, options)),
    );
  letters
    .command('edit')
    .description(
      'put another record in its place, for this model and for good; opens $EDITOR unless told what to set',
    )
    .argument('<letter>')
    .option('--set <field=value...>', 'text, or JSON where the field is no text; meta.time=… too')
    .option('--file <file>', 'the whole event as JSON, as show prints it')
    .option('--json', 'print one JSON object')
    .action((letter: string, options: Options) => run(({ edit }, env) => edit(env, letter, options)));
  limited(selecting(letters.command('retry')), 'keys', 100)
    .description('try keys again, those first that have waited longest')
    .option('--yes', 'without asking, however many there are')
    .action((options: Options) => run(({ retry }, env) => retry(env, options)));
  selecting(letters.command('discard'))
    .description('never apply a record, for this model and for good; those behind it are tried again')
    .argument('[letter]', 'such as likes:like-events/3/17; or all of a --key')
    .option('--reason <words>', 'kept in the log in clear, so nothing personal')
    .option('--yes', 'without asking, however many there are')
    .action((letter: string | undefined, options: Options) =>
      run(({ discard }, env) => discard(env, letter, options)),
    );
}

function selecting(command: Command): Command {
  return command
    .option('--model <model>', 'of this model only')
    .option('--key <key>', 'of this key only')
    .option('--json', 'print JSON');
}

function limited(command: Command, what: string, limit: number): Command {
  return command.option('--limit <n>', `${what} at most, ${limit} unless said`, positive, limit);
}

async function run(command: (commands: Commands, env: Environment) => Promise<Said>): Promise<void> {
  const [commands, { stackEnvironment }] = await Promise.all([
    import('../../operate/dead-letters/commands.ts'),
    import('../../../deploy/native/environment.ts'),
  ]);
  const { text, ok } = await command(commands, stackEnvironment());
  console.log(text);
  if (!ok) process.exitCode = 1;
}

function positive(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}
