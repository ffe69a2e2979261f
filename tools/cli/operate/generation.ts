import { type Command, InvalidArgumentError } from 'commander';
import type { Kafka } from '../../../platform/log/kafka.ts';
import type { Pool } from '../../../platform/postgres/pool.ts';
import type { Config } from '../../../platform/process/config.ts';
import type { Generation } from '../../operate/generation/topic.ts';

interface Servers {
  config: Config;
  pool: Pool;
  kafka: Kafka;
}

interface To {
  toPrefix: string;
  partitions: number;
  afresh?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  const generation = program
    .command('generation')
    .description('bring the log into topics with another number of partitions (runbook new-generation.md)');
  for (const [name, text] of [
    [
      'copy',
      'copy the log into topics of another prefix and prove it; services may run, and it can be repeated',
    ],
    ['switch', 'lead this database to the copy; needs every service stopped that writes'],
  ] as const) {
    const command = generation
      .command(name)
      .description(text)
      .requiredOption('--to-prefix <prefix>', 'before every topic of the new generation, such as g2.')
      .requiredOption('--partitions <n>', 'of every topic of the new generation', count)
      .option('--json', 'print one JSON object');
    if (name === 'copy')
      command.option('--afresh', 'forget what was proved before, and prove all of it again');
    command.action((options: To) => (name === 'copy' ? copy(options) : lead(options)));
  }
  generation
    .command('drop')
    .description('delete the topics and Redis keys of a generation that is not in use; there is no way back')
    .requiredOption('--prefix <prefix>', 'whose')
    .requiredOption('--yes', 'say that you mean it')
    .action(drop);
}

async function copy(options: To): Promise<void> {
  const { copyGeneration } = await import('../../operate/generation/copy.ts');
  await connected(async ({ config, pool }) => {
    const report = await copyGeneration({
      config,
      pool,
      to: toOf(options),
      afresh: options.afresh ?? false,
      progress: options.json ? () => {} : progress,
    });
    if (options.json) return console.log(JSON.stringify(report));
    console.log(inWords(report));
    console.log('What is appended from now on is copied by the next copy, or by switch.');
  });
}

async function lead(options: To): Promise<void> {
  const { switchGeneration } = await import('../../operate/generation/switch.ts');
  const { operatorName } = await import('../../operate/ask.ts');
  const { openMasterKey } = await import('../../../platform/vault/master-key.ts');
  await connected(async ({ config, pool, kafka }) => {
    const report = await switchGeneration({
      ...{ config, pool, kafka },
      progress: options.json ? () => {} : progress,
      master: openMasterKey(config.masterKeyFile),
      to: toOf(options),
      askedBy: operatorName(),
    });
    if (options.json) return console.log(JSON.stringify(report));
    console.log(inWords(report));
    if (report.parked > 0) console.log(`${report.parked} dead letters have the places of the new generation`);
    if (report.rebuilds.length > 0)
      console.log(`built again at the next start: ${report.rebuilds.join(', ')}`);
    console.log(
      `This database goes with the prefix "${options.toPrefix}" from here on. Start with EMULSION_PREFIX=${options.toPrefix} EMULSION_PARTITIONS=${options.partitions}, and keep both in the environment of every command.`,
    );
  });
}

async function drop({ prefix }: { prefix: string }): Promise<void> {
  const { dropGeneration } = await import('../../operate/generation/drop.ts');
  const { createRedis, redisReady } = await import('../../../platform/redis/redis.ts');
  await connected(async ({ config, pool, kafka }) => {
    const redis = createRedis(config.redisUrl, { name: 'emulsion-generation' });
    try {
      await redisReady(redis);
      const { topics, keys } = await dropGeneration({ kafka, pool, redis }, config.prefix, prefix);
      console.log(`deleted ${topics.length} topics and ${keys} keys of Redis`);
    } finally {
      redis.disconnect();
    }
  });
}

async function connected(work: (servers: Servers) => Promise<void>): Promise<void> {
  const { stackEnvironment } = await import('../../../deploy/native/environment.ts');
  const { readConfig } = await import('../../../platform/process/config.ts');
  const { createPool } = await import('../../../platform/postgres/pool.ts');
  const { connectKafka } = await import('../../../platform/log/kafka.ts');
  const { createLogger } = await import('../../../platform/telemetry/logger.ts');
  const { mustBeCurrent } = await import('../../operate/generation/state.ts');
  const config = readConfig(stackEnvironment());
  const pool = createPool(config.databaseUrl, { name: 'emulsion-generation', max: 3, statementTimeoutMs: 0 });
  const log = createLogger('generation', 'silent');
  const kafka = connectKafka({ brokers: config.kafkaBrokers, clientId: 'emulsion-generation', log });
  try {
    await mustBeCurrent(pool, config);
    await work({ config, pool, kafka });
  } finally {
    await pool.end();
  }
}

function inWords({
  copied,
  records,
  rulings,
}: {
  copied: number;
  records: Record<string, number>;
  rulings: number;
}): string {
  const all = Object.entries(records).map(([topic, held]) => `  ${topic.padEnd(20)} ${held}`);
  return [
    `${copied} records copied now; the same on both sides, key by key in order:`,
    ...all,
    `  rulings              ${rulings}`,
  ].join('\n');
}

const tellEveryMs = 2_000;
let told = Date.now();

function progress(copied: number): void {
  if (Date.now() - told < tellEveryMs) return;
  told = Date.now();
  console.error(`  ${copied} records copied`);
}

function toOf({ toPrefix, partitions }: To): Generation {
  return { prefix: toPrefix, partitions };
}

function count(text: string): number {
  const partitions = Number(text);
  if (Number.isInteger(partitions) && partitions > 0 && partitions <= 1_024) return partitions;
  throw new InvalidArgumentError('a whole number from 1 to 1024.');
}
