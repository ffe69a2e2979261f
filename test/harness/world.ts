import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Kafka, Kafka as KafkaClient, logLevel } from 'kafkajs';
import pg from 'pg';
import { topics } from '../../schemas/topics.ts';
import { prepare } from '../../tools/stack/prepare.ts';
import { type Addresses, type Client, createClient } from './client.ts';
import { defineService, type Service, type ServiceName, serviceNames } from './services.ts';

/** A whole product that runs somewhere, as its clients and whoever looks into its stores reach it. */
export interface Place {
  prefix: string;
  /** What services and commands are started with; DATABASE_URL is the owner's. */
  env: Record<string, string>;
  owner: pg.Pool;
  kafka: Kafka;
  services: Addresses;
  /** Resolves when every consumer has applied the whole log; says who is behind when that takes too long. */
  drained(limitMs?: number): Promise<void>;
}

/** A product of its own on the shared stack: database, topics and keys under one random prefix. */
export interface World extends Place {
  services: Record<ServiceName, Service>;
  api: Client;
  /**
   * One more process of a service, on a port of its own, not started yet; it ends with the world. `sources`: the folder
   * of another release.
   */
  another(service: ServiceName, sources?: string): Promise<Service>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  /** Which services run; all of them unless said. */
  services?: readonly ServiceName[];
  env?: Record<string, string>;
}

const databaseKeys = [
  'DATABASE_URL',
  'COMMAND_DATABASE_URL',
  'QUERY_DATABASE_URL',
  'PROJECTOR_DATABASE_URL',
  'MEDIA_DATABASE_URL',
];

/** Makes the world and starts its services. Call stop() when done: it ends the processes and drops the database. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  if (!process.env.KAFKA_BROKERS)
    throw new Error('There is no stack: run the tests by `npm test` (`npm test -- FILE` for one).');
  const name = `t${randomBytes(5).toString('hex')}`;
  const env = worldEnvironment(name, options.env ?? {});
  await adminQuery(`CREATE DATABASE ${name}`);
  await prepare(env, () => {});
  const logs = path.join(tmpdir(), 'emulsion-tests', name);
  const services = {} as Record<ServiceName, Service>;
  for (const service of serviceNames) services[service] = await defineService(service, env, logs);
  const owner = new pg.Pool({ connectionString: env.DATABASE_URL, max: 4 });
  owner.on('error', () => {});
  const kafka = new KafkaClient({
    brokers: env.KAFKA_BROKERS!.split(','),
    clientId: name,
    logLevel: logLevel.NOTHING,
  });
  const started = options.services ?? serviceNames;
  const more: Service[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all([...Object.values(services), ...more].map((service) => service.stop()));
    await owner.end();
    await adminQuery(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await deleteTopics(kafka, env.EMULSION_PREFIX!);
    rmSync(logs, { recursive: true, force: true });
  };
  try {
    // Who answers reads which versions there are when it starts, so whoever makes them comes first.
    await startAll(
      services,
      started.filter((service) => !answering.includes(service)),
    );
    await startAll(
      services,
      started.filter((service) => answering.includes(service)),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    prefix: env.EMULSION_PREFIX!,
    env,
    owner,
    kafka,
    services,
    api: createClient(services),
    async another(service, sources) {
      const label = `${service}-${more.length + 2}`;
      more.push(await defineService(service, env, logs, { label, ...(sources && { sources }) }));
      return more.at(-1)!;
    },
    drained: (limitMs = 30_000) => drained(owner, kafka, env.EMULSION_PREFIX!, limitMs),
    stop,
  };
}

const answering: readonly ServiceName[] = ['command-api', 'query-api', 'stream', 'stream2'];

async function startAll(
  services: Record<ServiceName, Service>,
  names: readonly ServiceName[],
): Promise<void> {
  await Promise.all(names.map((name) => services[name].start()));
}

function worldEnvironment(name: string, extra: Record<string, string>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [key, value] of Object.entries(process.env)) if (value !== undefined) env[key] = value;
  for (const key of databaseKeys) {
    const url = new URL(env[key]!);
    url.pathname = `/${name}`;
    env[key] = url.href;
  }
  return { ...env, EMULSION_PREFIX: `${name}.`, EMULSION_PARTITIONS: '4', LOG_LEVEL: 'info', ...extra };
}

async function adminQuery(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function deleteTopics(kafka: Kafka, prefix: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: topics.map((topic) => `${prefix}${topic}`) }).catch(() => {});
  await admin.disconnect();
}

/** The next offset of each partition, by `topic/partition` without prefix. */
export async function headsOf(kafka: Kafka, prefix: string): Promise<Map<string, bigint>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const heads = new Map<string, bigint>();
    for (const topic of topics) {
      for (const { partition, high } of await admin.fetchTopicOffsets(`${prefix}${topic}`)) {
        heads.set(`${topic}/${partition}`, BigInt(high));
      }
    }
    return heads;
  } finally {
    await admin.disconnect();
  }
}

// The pipeline appends while the others read: everybody has to be at the head of the same look.
export async function drained(owner: pg.Pool, kafka: Kafka, prefix: string, limitMs: number): Promise<void> {
  const until = Date.now() + limitMs;
  for (let behind: string[] = []; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const heads = await headsOf(kafka, prefix);
    const { rows } = await owner.query('SELECT consumer, topic, partition, position FROM engine.position');
    behind = rows
      .filter((row) => BigInt(row.position) < (heads.get(`${row.topic}/${row.partition}`) ?? 0n))
      .map((row) => `${row.consumer} ${row.topic}/${row.partition} at ${row.position}`);
    if (rows.length > 0 && behind.length === 0) return;
    if (Date.now() > until)
      throw new Error(
        `not drained after ${limitMs} ms: ${behind.join(', ') || 'nobody has claimed anything'}`,
      );
  }
}
