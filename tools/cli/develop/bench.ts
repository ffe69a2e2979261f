import { type Command, Option } from 'commander';
import type { BenchReport } from '../../bench/figures.ts';
import type { BenchWorld } from '../../bench/world.ts';
import { positiveNumber } from '../numbers.ts';

interface Options {
  likes: number;
  posts: number;
  readers: number;
  sockets: number;
  runs: number;
  peer?: 'connect';
  memory: string;
  seconds: number;
  connections: number;
  json?: boolean;
}

type Say = (text: string) => void;
type Bench = (signal: AbortSignal, options: Options, say: Say) => Promise<BenchReport>;

export function register(program: Command): void {
  const bench = program
    .command('bench')
    .description(
      'measure against ceilings that take turns with it, in a world of its own on the running stack',
    );
  const add = (name: string, description: string, runs: number, work: Bench): Command =>
    bench
      .command(name)
      .description(description)
      .option('--runs <n>', 'runs of each; their median counts', positiveNumber, runs)
      .option('--json', 'print one JSON object')
      .action((options: Options) => run(options, work));
  add('projection', 'likes with exact counters by one projectors process', 3, projection)
    .option('--likes <n>', 'likes in the backlog', positiveNumber, 300_000)
    .addOption(
      new Option('--peer <name>', 'another product beside it, on the same facts').choices(['connect']),
    );
  add('rebuild', 'likes made again from logs of 1, 4 and 16 times a length', 5, rebuild).option(
    '--likes <n>',
    'likes in the smallest log',
    positiveNumber,
    250_000,
  );
  add('timelines', 'posts fanned out to their readers, and all timelines made again', 3, timelines).option(
    '--posts <n>',
    'posts, each of them to 250 readers',
    positiveNumber,
    2_000,
  );
  add('verify', 'likes compared with a log that is larger than the memory for it', 1, verify)
    .option('--likes <n>', 'likes in the log', positiveNumber, 10_000_000)
    .option('--memory <size>', 'what folding may take', '256M');
  add('commands', 'likes over HTTP, each acknowledged by the broker', 1, commands)
    .option('--seconds <n>', 'seconds of a run', positiveNumber, 60)
    .option('--connections <n>', 'connections of the load', positiveNumber, 256);
  add('feed', 'home feeds of everybody while likes and follows arrive, warm and cold', 3, feed)
    .option('--readers <n>', 'people who read', positiveNumber, 25_000)
    .option('--seconds <n>', 'seconds of a run', positiveNumber, 20)
    .option('--connections <n>', 'connections of the load', positiveNumber, 64);
  add('stream', 'frames to many sockets, memory of each, and many that come back at once', 3, stream).option(
    '--sockets <n>',
    'sockets, one for each of as many people',
    positiveNumber,
    10_000,
  );
}

type InWorld = (world: BenchWorld, options: Options & { say: Say }) => Promise<BenchReport>;

/** A bench that has one world for all of its runs. */
function inOneWorld(load: () => Promise<InWorld>): Bench {
  return async (signal, options, say) => {
    const [{ inBenchWorld }, work] = await Promise.all([import('../../bench/world.ts'), load()]);
    return inBenchWorld(signal, (world) => work(world, { ...options, say }));
  };
}

const projection = inOneWorld(async () => (await import('../../bench/projection.ts')).benchProjection);
const timelines = inOneWorld(async () => (await import('../../bench/timelines.ts')).benchTimelines);
const commands = inOneWorld(async () => (await import('../../bench/commands.ts')).benchCommands);
const feed = inOneWorld(async () => (await import('../../bench/feed/feed.ts')).benchFeed);
const stream = inOneWorld(async () => (await import('../../bench/stream/stream.ts')).benchStream);
const verify = inOneWorld(async () => (await import('../../bench/verify.ts')).benchVerify);

/** Makes a world for each length of log. */
const rebuild: Bench = async (signal, options, say) => {
  const { benchRebuild } = await import('../../bench/rebuild.ts');
  return benchRebuild(signal, { ...options, say });
};

async function run(options: Options, work: Bench): Promise<void> {
  const { untilInterrupted } = await import('../../stack/interrupt.ts');
  const { printReport, reportJson } = await import('../../bench/figures.ts');
  const say: Say = (text) => void process.stderr.write(`${text}\n`);
  const report = await untilInterrupted((signal) => work(signal, options, say));
  console.log(options.json ? reportJson(report) : printReport(report));
}
