import { type Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../numbers.ts';

interface Options {
  graph?: string;
  directed?: boolean;
  people: number;
  follows: number;
  photos?: string;
  uploads: number;
  posts: number;
  likes: number;
  seed: string;
  url?: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('load')
    .description(
      'load a world through the public API: people and follows of an edge list (or drawn), photographs, posts, likes',
    )
    .option('--graph <file>', 'edge list "a,b" a line, plain or gzip')
    .option('--directed', 'a follows b; otherwise both ways')
    .option('--people <n>', 'without an edge list: people', wholeNumber, 1_000)
    .option(
      '--follows <n>',
      'without an edge list: who follows whom, drawn, a few with many followers',
      wholeNumber,
      10_000,
    )
    .option('--photos <folder>', 'photographs to upload; drawn ones unless given')
    .option(
      '--uploads <n>',
      'photographs uploaded at most, shared by the posts of their author',
      wholeNumber,
      500,
    )
    .option('--posts <n>', 'posts', wholeNumber, 5_000)
    .option('--likes <n>', 'likes', wholeNumber, 100_000)
    .option(
      '--seed <text>',
      'the same seed makes the same world; a repeat writes nothing twice',
      seedText,
      '1',
    )
    .option('--url <address>', "the public API; this stack's own unless given")
    .option('--json', 'print one JSON object')
    .action((options: Options) => run(options));
}

async function run(options: Options): Promise<void> {
  const { stackEnvironment } = await import('../../../deploy/native/environment.ts');
  const { readConfig } = await import('../../../platform/process/config.ts');
  const { connectKafka } = await import('../../../platform/log/kafka.ts');
  const { createPool } = await import('../../../platform/postgres/pool.ts');
  const { createLogger } = await import('../../../platform/telemetry/logger.ts');
  const { load } = await import('../../load/load.ts');
  const { printReport } = await import('../../load/report.ts');
  const config = readConfig(stackEnvironment());
  const log = createLogger('load', 'error');
  const kafka = connectKafka({ brokers: config.kafkaBrokers, clientId: 'emulsion-load', log });
  const pool = createPool(config.databaseUrl, { name: 'emulsion-load', max: 2, statementTimeoutMs: 120_000 });
  try {
    const given = {
      ...options,
      directed: options.directed === true,
      publicUrl: options.url ?? config.publicUrl,
    };
    const report = await load(given, { kafka, pool, prefix: config.prefix });
    console.log(options.json ? JSON.stringify(report) : printReport(report));
    const behind = report.lag.some((lag) => lag.events > 0);
    process.exitCode = report.refused.length > 0 || behind ? 1 : 0;
  } finally {
    await pool.end();
  }
}

/** The seed is part of every username. */
function seedText(text: string): string {
  if (/^[A-Za-z0-9]{1,8}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 8 letters and digits.');
}
