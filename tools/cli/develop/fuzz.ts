import { type Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../numbers.ts';

interface Options {
  url?: string;
  seed?: number;
  seconds: number;
}

export function register(program: Command): void {
  program
    .command('fuzz')
    .description(
      'ask a running system whatever its OpenAPI document allows and forbids; the last line is "N faults"',
    )
    .option('--url <address>', "the public API, on this machine; this stack's own unless given")
    .option(
      '--seed <n>',
      'the same seed makes up the same requests; another one each time unless given',
      wholeNumber,
    )
    .option('--seconds <n>', 'so long as somebody, and so long as nobody', seconds, 120)
    .action(async (options: Options) => {
      const { untilInterrupted } = await import('../../stack/interrupt.ts');
      await untilInterrupted((signal) => run(options, signal));
    });
}

async function run({ url, seed = randomSeed(), seconds }: Options, signal: AbortSignal): Promise<void> {
  const { stackEnvironment } = await import('../../../deploy/native/environment.ts');
  const { resolvePaths } = await import('../../../deploy/native/paths.ts');
  const { createProgress } = await import('../../../deploy/native/progress.ts');
  const { installFuzzer } = await import('../../fuzz/install.ts');
  const { fuzz } = await import('../../fuzz/run.ts');
  const progress = createProgress();
  const python = await installFuzzer({ folder: resolvePaths(process.env).cache, progress, signal });
  progress.end();
  console.log(`seed ${seed}`);
  const phases = ['examples', 'coverage', 'fuzzing', 'stateful'] as const;
  const at = url ?? stackEnvironment().PUBLIC_URL!;
  const reports = await fuzz({ url: at, python, seed, examples: 50, seconds, phases, signal });
  for (const { caller, asked, endpoints, requests, faults, complete, text } of reports) {
    if (faults.length > 0) console.log(text);
    const end = complete ? '' : ', cut short';
    console.log(`as ${caller}: ${requests} requests to ${asked} of ${endpoints} endpoints${end}`);
  }
  const faults = reports.flatMap((report) => report.faults.map((fault) => `as ${report.caller}: ${fault}`));
  for (const fault of faults) console.log(fault);
  console.log(`${faults.length} faults`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

/** Access tokens live for a quarter of an hour. */
function seconds(text: string): number {
  const number = wholeNumber(text);
  if (number >= 10 && number <= 600) return number;
  throw new InvalidArgumentError('It must be 10 to 600.');
}
