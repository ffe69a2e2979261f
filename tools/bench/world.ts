import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { stackEnvironment } from '../../deploy/native/environment.ts';
import { failure } from '../../deploy/native/failure.ts';
import { createPool, type Pool } from '../../platform/postgres/pool.ts';
import { createRedis, redisReady } from '../../platform/redis/redis.ts';
import { prepare } from '../stack/prepare.ts';

/** A product of its own on the running stack, for one bench: database, topics, keys, schemas. */
export interface BenchWorld {
  /** What a service of it is started with; DATABASE_URL is the owner's. */
  env: Record<string, string>;
  prefix: string;
  owner: Pool;
  kafka: Kafka;
  /** Also done when the bench is cut short: ends a process, closes a connection. The latest goes first. */
  atEnd(close: () => Promise<unknown>): void;
}

const databaseKeys = [
  'DATABASE_URL',
  'PROJECTOR_DATABASE_URL',
  'COMMAND_DATABASE_URL',
  'QUERY_DATABASE_URL',
] as const;
/** Every database of a bench begins with it; the rest is its name. */
const mark = 'bench_';
const closeWithinMs = 15_000;

/**
 * Makes a world, does the work in it, and leaves nothing of it behind, cut short or not. What a killed bench left is
 * removed first: whoever lives holds a lock of Postgres on its name.
 */
export async function inBenchWorld<T>(
  signal: AbortSignal,
  work: (world: BenchWorld) => Promise<T>,
): Promise<T> {
  const stack = stackEnvironment();
  await requireStack(stack);
  const admin = new pg.Client({ connectionString: stack.DATABASE_URL });
  admin.on('error', () => {});
  await admin.connect();
  try {
    await sweep(admin, stack);
    const name = `${mark}${randomBytes(4).toString('hex')}`;
    await admin.query('SELECT pg_advisory_lock(hashtext($1))', [name]);
    try {
      return await withWorld(admin, stack, name, signal, work);
    } finally {
      await remove(admin, stack, name);
    }
  } finally {
    await admin.end();
  }
}

async function withWorld<T>(
  admin: pg.Client,
  stack: Record<string, string>,
  name: string,
  signal: AbortSignal,
  work: (world: BenchWorld) => Promise<T>,
): Promise<T> {
  const env = environmentOf(stack, name);
  await admin.query(`CREATE DATABASE ${name}`);
  await prepare(env, () => {});
  signal.throwIfAborted();
  const closing: (() => Promise<unknown>)[] = [];
  const owner = createPool(env.DATABASE_URL!, { name: 'bench', max: 6, statementTimeoutMs: 600_000 });
  const world: BenchWorld = {
    env,
    prefix: env.EMULSION_PREFIX!,
    owner,
    kafka: kafkaOf(env),
    atEnd: (close) => closing.unshift(close),
  };
  const interrupted = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );
  try {
    return await Promise.race([work(world), interrupted]);
  } finally {
    for (const close of closing) await Promise.race([close().catch(() => {}), sleep(closeWithinMs)]);
    await owner.end();
  }
}

function environmentOf(stack: Record<string, string>, name: string): Record<string, string> {
  const env = { ...stack };
  for (const key of databaseKeys) {
    const url = new URL(env[key]!);
    url.pathname = `/${name}`;
    env[key] = url.href;
  }
  return { ...env, EMULSION_PREFIX: prefixOf(name), EMULSION_PARTITIONS: '12', LOG_LEVEL: 'info' };
}

function prefixOf(name: string): string {
  return `${name.replace('_', '-')}.`;
}

function kafkaOf(env: Record<string, string>): Kafka {
  const brokers = env.KAFKA_BROKERS!.split(',');
  return new Kafka({ brokers, clientId: 'emulsion-bench', logLevel: logLevel.NOTHING });
}

async function requireStack(env: Record<string, string>): Promise<void> {
  const addresses = {
    Kafka: `tcp://${env.KAFKA_BROKERS!.split(',')[0]}`,
    Postgres: env.DATABASE_URL!,
    Redis: env.REDIS_URL!,
    'the schema registry': env.SCHEMA_REGISTRY_URL!,
  };
  for (const [part, address] of Object.entries(addresses)) {
    if (await answers(new URL(address))) continue;
    throw failure(`The stack is not up: ${part} does not answer.`, 'Start it with npx emulsion up.');
  }
}

function answers(address: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: address.hostname, port: Number(address.port || 80), timeout: 2_000 });
    const end = (up: boolean) => () => {
      socket.destroy();
      resolve(up);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

async function sweep(admin: pg.Client, stack: Record<string, string>): Promise<void> {
  const { rows } = await admin.query('SELECT datname FROM pg_database WHERE starts_with(datname, $1)', [
    mark,
  ]);
  for (const { datname } of rows) {
    const lock = await admin.query('SELECT pg_try_advisory_lock(hashtext($1)) AS dead', [datname]);
    if (lock.rows[0].dead) await remove(admin, stack, datname);
  }
}

/** The database goes last, and stays when anything fails: by it a later bench finds what this one could not remove. */
async function remove(admin: pg.Client, stack: Record<string, string>, name: string): Promise<void> {
  const prefix = prefixOf(name);
  await forgetLog(stack, prefix);
  await forgetKeys(stack.REDIS_URL!, prefix);
  await forgetSchemas(stack.SCHEMA_REGISTRY_URL!, prefix);
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await admin.query('SELECT pg_advisory_unlock(hashtext($1))', [name]);
}

async function forgetLog(stack: Record<string, string>, prefix: string): Promise<void> {
  const admin = kafkaOf(stack).admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    const { groups } = await admin.listGroups();
    const own = groups.map(({ groupId }) => groupId).filter((id) => id.includes(prefix));
    // One whose members were killed is forgotten by the broker itself in a while.
    if (own.length > 0) await admin.deleteGroups(own).catch(() => {});
  } finally {
    await admin.disconnect();
  }
}

/** Removes every key of this prefix from Redis. */
export async function forgetKeys(url: string, prefix: string): Promise<void> {
  const redis = createRedis(url, { name: 'bench' });
  try {
    if (!(await redisReady(redis, 10_000)))
      throw new Error('Redis does not answer: its keys stay until the next bench.');
    for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 5_000 })) {
      if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]));
    }
  } finally {
    redis.disconnect();
  }
}

/** The registry hides a subject at the first delete and forgets it at the second. */
async function forgetSchemas(url: string, prefix: string): Promise<void> {
  const subjects = (await (await fetch(`${url}/subjects`)).json()) as string[];
  for (const subject of subjects.filter((name) => name.startsWith(prefix))) {
    const address = `${url}/subjects/${encodeURIComponent(subject)}`;
    await fetch(address, { method: 'DELETE' });
    await fetch(`${address}?permanent=true`, { method: 'DELETE' });
  }
}
