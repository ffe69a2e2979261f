import { type Admin, Kafka as KafkaClient, logLevel } from 'kafkajs';
import { failure, isFailure } from '../../../deploy/native/failure.ts';
import { connectKafka, type Kafka } from '../../../platform/log/kafka.ts';
import { checkTopics, createTopics, topicName } from '../../../platform/log/topics.ts';
import type { Pool } from '../../../platform/postgres/pool.ts';
import type { Config } from '../../../platform/process/config.ts';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { rulingTopic } from '../../../schemas/operator/dead-letter.ts';
import { topics } from '../../../schemas/topics.ts';
import { emptySide, recordsOf } from './ledger.ts';
import { copyRulings } from './rulings.ts';
import { copySchemas } from './schemas.ts';
import { type CopyState, forgetState, loadState, saveState } from './state.ts';
import { type Copying, copyTopic, type Generation } from './topic.ts';

export interface CopyReport {
  /** Copied by this run. */
  copied: number;
  /** Proved equal on both sides, by topic: what the old generation held when this ended. */
  records: Record<string, number>;
  rulings: number;
}

export interface CopyOptions {
  config: Config;
  pool: Pool;
  to: Generation;
  /** Forgets what runs before have proved, and proves it again from the beginning. */
  afresh: boolean;
  /** Told of all records copied so far, from time to time. */
  progress(copied: number): void;
}

/** What is appended meanwhile is copied too, as long as it is more than so many records. */
const fewRecords = 1_000;
const mostRounds = 20;
/** An attempt whose sends failed is begun again: what arrived is counted first. */
const attempts = 5;
const pauseMs = 1_000;

/**
 * Copies the log into another generation, byte for byte and key by key in order, and proves that it did. Services may
 * run: the next run copies what they have appended meanwhile. It can be cut anywhere and run again.
 */
export async function copyGeneration(options: CopyOptions): Promise<CopyReport> {
  const { config, pool, to } = options;
  mustDiffer(config, to);
  const log = createLogger('generation', 'silent');
  const kafka = connectKafka({ brokers: config.kafkaBrokers, clientId: 'emulsion-generation', log });
  return alone(pool, async () => {
    await makeTopics(kafka, config, to);
    await copySchemas(config.registryUrl, config.prefix, to.prefix);
    if (options.afresh) await forgetState(pool, to.prefix);
    const state = await loadState(pool, to.prefix);
    const producer = openProducer(config);
    await producer.connect();
    let copied = 0;
    const copying: Copying = {
      ...{ kafka, producer, old: config, new: to },
      copied(records) {
        copied += records;
        options.progress(copied);
      },
    };
    try {
      await copyAll(copying, pool, state);
      const { rulings } = await copyRulings(copying, config.registryUrl);
      const records = Object.fromEntries([...state].map(([topic, sides]) => [topic, recordsOf(sides.old)]));
      return { copied, records, rulings };
    } finally {
      await producer.disconnect();
    }
  });
}

async function copyAll(copying: Copying, pool: Pool, state: CopyState): Promise<void> {
  for (let round = 1; ; round += 1) {
    let copied = 0;
    for (const topic of topics.filter((name) => name !== rulingTopic)) {
      copied += await persist(() => copyTopic(copying, topic, sidesOf(copying, state, topic)));
      await saveState(pool, copying.new.prefix, state);
    }
    if (copied <= fewRecords || round === mostRounds) return;
  }
}

function sidesOf(copying: Copying, state: CopyState, topic: string) {
  const fresh = { old: emptySide(copying.old.partitions), new: emptySide(copying.new.partitions) };
  const sides = state.get(topic) ?? fresh;
  state.set(topic, sides);
  return sides;
}

async function persist<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (isFailure(error) || attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs * attempt));
    }
  }
}

function mustDiffer(from: Generation, to: Generation): void {
  if (from.prefix !== to.prefix) return;
  throw failure(
    `The new generation has the prefix of the present one, "${from.prefix}".`,
    'Give it another, such as --to-prefix g2.',
  );
}

/** Nothing is sent twice without our knowing: a send that fails is looked into, not repeated. */
function openProducer({ kafkaBrokers }: Config) {
  const kafka = new KafkaClient({
    brokers: kafkaBrokers,
    clientId: 'emulsion-generation-copy',
    logLevel: logLevel.NOTHING,
  });
  return kafka.producer({
    idempotent: false,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition!,
    retry: { retries: 0 },
  });
}

/** One copy at a time: two would write everything twice. */
async function alone<T>(pool: Pool, work: () => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query(
      `SELECT pg_try_advisory_lock(hashtextextended('emulsion generation', 0)) AS mine`,
    );
    if (!rows[0].mine)
      throw failure('A copy is under way already.', 'Wait for it, or end that process; then run this again.');
    return await work();
  } finally {
    client.release(true);
  }
}

async function makeTopics(kafka: Kafka, config: Config, to: Generation): Promise<void> {
  await checkTopics(kafka, { ...config, topics });
  const admin = kafka.admin();
  await admin.connect();
  const replicas = await replicasOf(admin, topicName(config.prefix, topics[0])).finally(() =>
    admin.disconnect(),
  );
  await createTopics(kafka, { ...to, topics }, replicas);
  await checkTopics(kafka, { ...to, topics }).catch((error: Error) => {
    throw failure(error.message, `Copy with --partitions as they are, or under another prefix.`, error);
  });
}

async function replicasOf(admin: Admin, topic: string): Promise<number> {
  const { topics: found } = await admin.fetchTopicMetadata({ topics: [topic] });
  return found[0]!.partitions[0]!.replicas.length;
}
