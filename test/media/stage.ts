import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { databaseUrl, ownerRole, stackEnvironment } from '../../deploy/native/environment.ts';
import { resolvePaths } from '../../deploy/native/paths.ts';
import { resolvePorts } from '../../deploy/native/ports.ts';
import { openAppender } from '../../platform/log/appender.ts';
import { openCodec } from '../../platform/log/codec.ts';
import { connectKafka, type Kafka } from '../../platform/log/kafka.ts';
import { topicName } from '../../platform/log/topics.ts';
import { createPool } from '../../platform/postgres/pool.ts';
import { readConfig } from '../../platform/process/config.ts';
import { openStorage, type Storage } from '../../platform/storage/s3.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import {
  type Event,
  type EventOf,
  eventCatalog,
  type MediaUploaded,
} from '../../schemas/generated/events.ts';
import { topics } from '../../schemas/topics.ts';
import { prepare } from '../../tools/cli/operate/prepare.ts';

export type Outcome = EventOf<'MediaReady'> | EventOf<'MediaRejected'>;

export interface Stage {
  storage: Storage;
  /** Puts the bytes (null: none) and says so in the log, as command-api does on `complete`. */
  upload(bytes: Buffer | null): Promise<MediaUploaded>;
  /** Every outcome record in the log so far, repeats and all. */
  outcomes(): Outcome[];
  /** Waits until there is an outcome for each of these, and gives the first of each. */
  decided(causes: readonly MediaUploaded[]): Promise<Outcome[]>;
  /** Starts the pipeline as it is started in life; env goes on top of its environment. */
  start(env?: Record<string, string>): Pipeline;
  close(): Promise<void>;
}

export interface Pipeline {
  /** What it wrote to stdout and stderr. */
  said(): string;
  /** The signal that ended it. */
  ended: Promise<NodeJS.Signals | null>;
  stop(): Promise<void>;
}

const repository = path.resolve(import.meta.dirname, '../..');
const patienceMs = 90_000;

/** A world of its own on the running stack: database, topics, schemas, keys of objects. */
export async function openStage(): Promise<Stage> {
  const name = `media_${randomBytes(4).toString('hex')}`;
  const env = await makeWorld(name);
  const config = readConfig(env);
  const log = createLogger('test', 'silent');
  const kafka = connectKafka({ brokers: config.kafkaBrokers, clientId: name, log });
  const { prefix, partitions } = config;
  const codec = await openCodec<Event>({ registryUrl: config.registryUrl, catalog: eventCatalog, prefix });
  const appender = await openAppender({ kafka, prefix, partitions, log });
  const storage = openStorage(config.s3!);
  const seen: Outcome[] = [];
  const originals: string[] = [];
  const reader = kafka.consumer({ groupId: `${name}-test` });
  await reader.connect();
  await reader.subscribe({ topics: [topicName(prefix, 'media-events')], fromBeginning: true });
  await reader.run({
    eachMessage: async ({ message }) => {
      await codec.prepare([message.value!]);
      const event = codec.reveal(codec.decode(message.value!), () => undefined);
      if (event.type === 'MediaReady' || event.type === 'MediaRejected') seen.push(event);
    },
  });
  const pipelines: Pipeline[] = [];

  return {
    storage,
    outcomes: () => [...seen],
    async upload(bytes) {
      const cause = uploadedEvent(name);
      originals.push(cause.objectKey);
      const terms = { contentType: 'image/jpeg', cacheControl: 'private' };
      if (bytes) await storage.put(cause.objectKey, bytes, terms);
      await appender.append(codec.encode(cause, null));
      return cause;
    },
    async decided(causes) {
      const first = (cause: MediaUploaded) => seen.find((event) => event.meta.causation === cause.meta.id);
      await until(() => causes.every(first), `${causes.length} outcomes`);
      return causes.map((cause) => first(cause)!);
    },
    start(extra = {}) {
      const pipeline = startPipeline({ ...env, DATABASE_URL: env.MEDIA_DATABASE_URL, ...extra });
      pipelines.push(pipeline);
      return pipeline;
    },
    async close() {
      await Promise.all(pipelines.map((pipeline) => pipeline.stop()));
      await reader.disconnect();
      await appender.close();
      await storage.remove([...originals, ...seen.flatMap(objectsOf)]);
      storage.close();
      await removeTopics(kafka, prefix);
      await onServer((pool) => pool.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}

function objectsOf(outcome: Outcome): string[] {
  return outcome.type === 'MediaReady' ? outcome.variants.map((variant) => variant.objectKey) : [];
}

async function removeTopics(kafka: Kafka, prefix: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: topics.map((topic) => topicName(prefix, topic)) });
  await admin.disconnect();
}

async function makeWorld(name: string): Promise<Record<string, string>> {
  await onServer((pool) => pool.query(`CREATE DATABASE ${name}`));
  const stack = stackEnvironment();
  const inWorld = (url: string): string => {
    const changed = new URL(url);
    changed.pathname = `/${name}`;
    return changed.href;
  };
  const env = {
    ...stack,
    EMULSION_PREFIX: `${name}.`.replace('_', '-'),
    EMULSION_PARTITIONS: '2',
    DATABASE_URL: inWorld(stack.DATABASE_URL!),
    MEDIA_DATABASE_URL: inWorld(stack.MEDIA_DATABASE_URL!),
  };
  await prepare(env, () => {});
  return env;
}

async function onServer(work: (pool: ReturnType<typeof createPool>) => Promise<unknown>): Promise<void> {
  const pool = createPool(
    databaseUrl(resolvePaths(process.env), resolvePorts(process.env), ownerRole, 'postgres'),
    {
      name: 'media test',
      max: 1,
      statementTimeoutMs: 60_000,
    },
  );
  await work(pool).finally(() => pool.end());
}

function uploadedEvent(name: string): MediaUploaded {
  const [mediaId, ownerId] = [uuidv7(), uuidv7()];
  return {
    type: 'MediaUploaded',
    meta: {
      id: uuidv7(),
      source: '/test',
      time: Date.now(),
      actor: ownerId,
      correlation: randomBytes(16).toString('hex'),
      causation: null,
    },
    mediaId,
    ownerId,
    objectKey: `o/test/${name}/${mediaId}`,
  };
}

function startPipeline(env: Record<string, string | undefined>): Pipeline {
  const child: ChildProcess = spawn(process.execPath, ['media-pipeline/main.ts'], {
    cwd: repository,
    env: { ...process.env, ...env, PORT: '0', LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (text) => {
      said += text;
    });
  }
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.on('exit', (_, signal) => resolve(signal)),
  );
  return {
    said: () => said,
    ended,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}

export async function until(reached: () => boolean, what: string): Promise<void> {
  const late = Date.now() + patienceMs;
  while (!reached()) {
    if (Date.now() > late) throw new Error(`waited ${patienceMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
