import { type Command, InvalidArgumentError } from 'commander';
import type { BenchReport } from '../../bench/figures.ts';
import type { BenchWorld } from '../../bench/world.ts';

interface Options {
  likes: number;
  runs: number;
  json?: boolean;
}

export function register(program: Command): void {
  const bench = program
    .command('bench')
    .description(
      'measure against ceilings that take turns with it, in a world of its own on the running stack',
    );
  const add = (name: string, description: string, work: Bench): Command =>
    bench
      .command(name)
      .description(description)
      .option('--runs <n>', 'runs of each; their median counts', positive, 3)
      .option('--json', 'print one JSON object')
      .action((options: Options) => run(options, work));
  add('projection', 'likes with exact counters by one projectors process', async (world, options, say) => {
    const { benchProjection } = await import('../../bench/projection.ts');
    return benchProjection(world, { ...options, say });
  }).option('--likes <n>', 'likes in the backlog', positive, 300_000);
}

type Bench = (world: BenchWorld, options: Options, say: (text: string) => void) => Promise<BenchReport>;

async function run(options: Options, work: Bench): Promise<void> {
  const { untilInterrupted } = await import('../operate/interrupt.ts');
  const { inBenchWorld } = await import('../../bench/world.ts');
  const { printReport, reportJson } = await import('../../bench/figures.ts');
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const report = await untilInterrupted((signal) =>
    inBenchWorld(signal, (world) => work(world, options, say)),
  );
  console.log(options.json ? reportJson(report) : printReport(report));
}

function positive(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}
