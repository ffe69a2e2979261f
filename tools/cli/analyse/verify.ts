import { type Command, InvalidArgumentError } from 'commander';

interface Options {
  buckets?: number;
  version?: number;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('verify')
    .description('fold the log by itself and compare every row and feed; status 1 on any difference')
    .argument('[model...]', 'all served models unless named')
    .option('--buckets <n>', 'passes over the log: more of them need less memory', positive)
    .option('--version <n>', 'this version of the one model named, served or not', positive)
    .option('--json', 'print one JSON object')
    .action((models: string[], options: Options) => run(models, options));
}

async function run(models: string[], options: Options): Promise<void> {
  const { openWorld } = await import('../../verify/world.ts');
  const { isEqual, verify } = await import('../../verify/verify.ts');
  const { printReport, reportJson } = await import('../../verify/print.ts');
  const { allFacts } = await import('../../verify/facts/all.ts');
  const { failure } = await import('../../../deploy/native/failure.ts');
  const { stackEnvironment } = await import('../../../deploy/native/environment.ts');
  const known = allFacts.map(({ model }) => model);
  const unknown = models.filter((model) => !known.includes(model));
  if (unknown.length > 0)
    throw failure(`There is no model ${unknown.join(', ')}.`, `There are ${known.join(', ')}.`);
  if (options.version && models.length !== 1)
    throw failure('--version is of one model.', 'Name the model too.');
  const world = await openWorld(stackEnvironment());
  try {
    const report = await verify(world, { models, buckets: options.buckets, version: options.version });
    const equal = isEqual(report);
    console.log(options.json ? reportJson(report, equal) : printReport(report));
    process.exitCode = equal ? 0 : 1;
  } finally {
    await world.close();
  }
}

function positive(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}
