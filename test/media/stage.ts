import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { databaseUrl, ownerRole, stackEnvironment } from '../../deploy/native/environment.ts';
import { resolvePaths } from '../../deploy/native/paths.ts';
import { resolvePorts } from '../../deploy/native/ports.ts';
import { type EncodedRecord, openAppender } from '../../platform/log/appender.ts';
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
import { prepare } from '../../tools/stack/prepare.ts';
import { type Pipeline, startPipeline } from './process.ts';

export type Outcome = EventOf<'MediaReady'> | EventOf<'MediaRejected'>;

export interface Stage {
  storage: Storage;
  /** Puts the bytes (null: none) and says so in the log, as command-api does on `complete`. */
  upload(bytes: Buffer | null): Promise<MediaUploaded>;
  /** Puts the bytes, and nothing of it in the log. */
  put(bytes: Buffer | null): Promise<MediaUploaded>;
  /** Appends an event, or what is none, under whatever headers. */
  append(what: Event | Buffer, headers: Partial<EncodedRecord['headers']>): Promise<void>;
  /** Codes and offsets of what is parked. */
  parked(): Promise<{ code: string; key: string }[]>;
  /** Every outcome record in the log so far, repeats and all. */
  outcomes(): Outcome[];
  /** Waits until there is an outcome for each of these, and gives the first of each. */
  decided(causes: readonly MediaUploaded[]): Promise<Outcome[]>;
  /** Starts the pipeline as it is started in life; env goes on top of its environment. */
  start(env?: Record<string, string>): Pipeline;
  close(): Promise<void>;
}

const outcomeTypes = new Set(['MediaReady', 'MediaRejected']);
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
  const pool = createPool(config.databaseUrl, { name: 'media test', max: 1 });
  const seen: Outcome[] = [];
  const originals: string[] = [];
  const reader = kafka.consumer({ groupId: `${name}-test` });
  await reader.connect();
  await reader.subscribe({ topics: [topicName(prefix, 'media-events')], fromBeginning: true });
  await reader.run({
    eachMessage: async ({ message }) => {
      if (!outcomeTypes.has(String(message.headers?.ce_type))) return;
      await codec.prepare([message.value!]);
      const event = codec.reveal(codec.decode(message.value!), () => undefined);
      seen.push(event as Outcome);
    },
  });
  const pipelines: Pipeline[] = [];
  const put = async (bytes: Buffer | null): Promise<MediaUploaded> => {
    const cause = uploadedEvent(name);
    originals.push(cause.objectKey);
    const terms = { contentType: 'image/jpeg', cacheControl: 'private' };
    if (bytes) await storage.put(cause.objectKey, bytes, terms);
    return cause;
  };

  return {
    storage,
    outcomes: () => [...seen],
    put,
    async upload(bytes) {
      const cause = await put(bytes);
      await appender.append(codec.encode(cause, null));
      return cause;
    },
    async append(what, headers) {
      const garbage = { topic: 'media-events', key: 'gar\0bage' };
      const record = Buffer.isBuffer(what) ? { ...garbage, value: what } : codec.encode(what, null);
      await appender.append({ ...record, headers: headers as EncodedRecord['headers'] });
    },
    parked: async () => (await pool.query('SELECT code, key FROM engine.parked')).rows,
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
      await pool.end();
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

export async function until(reached: () => boolean, what: string): Promise<void> {
  const late = Date.now() + patienceMs;
  while (!reached()) {
    if (Date.now() > late) throw new Error(`waited ${patienceMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
