import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { positiveNumber } from '../numbers.ts';

interface Options {
  version?: number;
  memory?: number;
  dir?: string;
  resume?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('verify')
    .description('fold the log by itself and compare every row and feed; status 1 on any difference')
    .argument('[model...]', 'all models unless named')
    .option('--version <n>', 'a version of the one model that is named, served or not', positiveNumber)
    .option('--memory <size>', 'what folding may take, such as 256M: less of it needs more disk', size)
    .option('--dir <folder>', 'where what does not fit into memory goes ($EMULSION_HOME/verify)')
    .option('--resume', 'go on with the same verification that was interrupted')
    .option('--json', 'print one JSON object')
    .action((models: string[], options: Options) => run(models, options));
}

async function run(models: string[], options: Options): Promise<void> {
  const { openWorld } = await import('../../verify/world.ts');
  const { verify } = await import('../../verify/verify.ts');
  const { printReport } = await import('../../verify/print.ts');
  const { untilInterrupted } = await import('../../stack/interrupt.ts');
  const { resolvePaths } = await import('../../../deploy/native/paths.ts');
  await refuseUnknown(models, options);
  const world = await openWorld(await environment());
  const dir = options.dir ?? join(resolvePaths(process.env).home, 'verify');
  const onResumable = () => console.error('→ `--resume` beside the same arguments goes on from there.');
  try {
    const report = await untilInterrupted((signal) =>
      verify(world, { ...options, models, dir, signal, onResumable }),
    );
    console.log(options.json ? JSON.stringify(report) : printReport(report));
    process.exitCode = report.equal ? 0 : 1;
  } finally {
    await world.close();
  }
}

async function refuseUnknown(models: string[], { version }: Options): Promise<void> {
  const { allFacts } = await import('../../verify/facts/all.ts');
  const { failure } = await import('../../../deploy/native/failure.ts');
  const known = [...new Set(allFacts.map(({ model }) => model))];
  const unknown = models.filter((model) => !known.includes(model));
  if (unknown.length > 0)
    throw failure(`There is no model ${unknown.join(', ')}.`, `There are ${known.join(', ')}.`);
  if (version !== undefined && models.length !== 1)
    throw failure('A version is one of a model.', 'Name that model: emulsion verify MODEL --version N.');
}

const needed = [
  'DATABASE_URL',
  'KAFKA_BROKERS',
  'SCHEMA_REGISTRY_URL',
  'REDIS_URL',
  'EMULSION_MASTER_KEY_FILE',
];

/** A service that starts this as its child gives all that is needed, and is not to be asked for other roles' secrets. */
async function environment(): Promise<Record<string, string | undefined>> {
  if (needed.every((key) => process.env[key])) return process.env;
  const { stackEnvironment } = await import('../../../deploy/native/environment.ts');
  return stackEnvironment();
}

const units: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

function size(text: string): number {
  const [, number, unit] = /^(\d{1,6})([KMG]?)$/i.exec(text) ?? [];
  const bytes = Number(number) * units[(unit ?? '').toUpperCase()]!;
  if (bytes >= 2 ** 20) return bytes;
  throw new InvalidArgumentError('It must be a size from 1M, such as 256M or 2G.');
}
