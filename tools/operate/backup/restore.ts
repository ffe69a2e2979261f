import { failure } from '../../../deploy/native/failure.ts';
import { openCodec, registerSchemas } from '../../../platform/log/codec.ts';
import { connectKafka, type Kafka } from '../../../platform/log/kafka.ts';
import type { Stretch } from '../../../platform/log/read-log.ts';
import { fetchHeads } from '../../../platform/log/topics.ts';
import { type Client, createPool, type Pool, transaction } from '../../../platform/postgres/pool.ts';
import { consumerOf } from '../../../platform/postgres/serving.ts';
import { type Config, readConfig } from '../../../platform/process/config.ts';
import { createRedis, type Redis, redisReady } from '../../../platform/redis/redis.ts';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { type Event, eventCatalog } from '../../../schemas/generated/events.ts';
import { topics } from '../../../schemas/topics.ts';
import { migrate } from '../../stack/prepare.ts';
import { applyErasures, bringErasures, readWaitingErasures } from '../erasures.ts';
import { countLines, type Header, readBackup, type Trailer } from './file.ts';
import { bringMigrations, mustBeEmpty, mustBeItsLog, mustBeQuiet, mustFit, mustOpen } from './fits.ts';
import { openToldFrames } from './frames.ts';
import { putBack, type RestoreMode } from './load.ts';
import { removeKeys, scanKeys } from './redis-keys.ts';
import { bringRegistry } from './registry.ts';
import { readSince, type Since } from './since.ts';

export interface RestoreReport {
  madeAt: string;
  /** Put back, by table. */
  rows: Record<string, number>;
  /** In words. */
  registry: string;
  /** null when only missing rows of the vault were put back. */
  since: Since | null;
  frames: { frames: number; people: number; forgotten: number } | null;
  /** Served models that are built again once the projectors run. */
  rebuilds: string[];
  /** Accounts that the log says are erased, and that were in the backup. */
  erased: number;
}

interface Servers {
  config: Config;
  pool: Pool;
  kafka: Kafka;
  redis: Redis;
}

/**
 * Puts a backup back, all of it in one transaction or nothing. Refuses a file that is not whole, a log that is not the
 * one it goes with, and while any of our services runs. `env` is that of the stack, whose servers must be up.
 */
export async function restore(
  env: Record<string, string | undefined>,
  file: string,
  mode: RestoreMode,
): Promise<RestoreReport> {
  const { header, trailer } = await inspect(file);
  const config = readConfig(env);
  mustFit(config, header);
  return withServers(config, async (servers) => {
    await mustBeQuiet(servers.pool);
    await mustBeItsLog(servers.kafka, config, header, trailer);
    await bringMigrations(servers.pool, header);
    const schemas = { registryUrl: config.registryUrl, catalog: eventCatalog, prefix: config.prefix };
    const registry = await bringRegistry(config.registryUrl, config.prefix, trailer.registry);
    await registerSchemas(schemas);
    const log = { kafka: servers.kafka, prefix: config.prefix, codec: await openCodec<Event>(schemas) };
    const { forget, erased, ...done } = await transaction(servers.pool, async (client) => {
      if (mode === 'empty') await mustBeEmpty(client);
      const known = await knowsErasures(client);
      const waiting = known ? await readWaitingErasures(client) : [];
      const rows = await putBack(client, file, header, mode);
      await mustOpen(client, config.masterKeyFile);
      await bringErasures(client, waiting);
      const erased = known ? await applyErasures(client, log) : null;
      await settleEngine(client, header.madeAt);
      const rebuilds = await orderRebuilds(client, header.madeAt);
      const caughtUp = mode === 'missing' ? vaultOnly : await catchUp(servers, client, header, trailer);
      return { rows, rebuilds, erased, ...caughtUp };
    });
    // The next start is of this release.
    await migrate(servers.pool);
    const forgotten = erased ?? (await transaction(servers.pool, (client) => applyErasures(client, log)));
    if (mode !== 'missing') await forgetInRedis(servers, forget);
    return { madeAt: header.madeAt, registry, erased: forgotten, ...done };
  });
}

/** False for a backup of a release that erased nobody. */
async function knowsErasures(client: Client): Promise<boolean> {
  return (await client.query(`SELECT to_regclass('vault.erasure') IS NOT NULL AS known`)).rows[0].known;
}

/** Reads the whole file once, so that a broken one is found before anything is touched. */
async function inspect(file: string): Promise<{ header: Header; trailer: Trailer }> {
  const found: Record<string, number> = {};
  const read = await readBackup(file, async ({ table }, lines) => {
    found[table] = 0;
    for await (const chunk of lines) found[table] += countLines(chunk);
  });
  const wrong = Object.entries(read.trailer.rows).find(([table, rows]) => found[table] !== rows);
  if (wrong) throw failure(`${file} has not all rows of ${wrong[0]}.`, 'Take the backup before it.');
  return read;
}

async function withServers<T>(config: Config, work: (servers: Servers) => Promise<T>): Promise<T> {
  const pool = createPool(config.databaseUrl, { name: 'emulsion-restore', max: 2, statementTimeoutMs: 0 });
  const redis = createRedis(config.redisUrl, { name: 'emulsion-restore' });
  const log = createLogger('restore', 'silent');
  const kafka = connectKafka({ brokers: config.kafkaBrokers, clientId: 'emulsion-restore', log });
  try {
    await pool.query('SELECT').catch((error: Error) => {
      throw noServer('Postgres', error);
    });
    if (!(await redisReady(redis))) throw noServer('Redis', new Error('no connection in 2 s'));
    return await work({ config, pool, kafka, redis });
  } finally {
    redis.disconnect();
    await pool.end();
  }
}

function noServer(name: string, error: Error): Error {
  return failure(
    `${name} does not answer: ${error.message}.`,
    'Start the servers alone: npx emulsion up --parts-only. An empty one will do.',
    error,
  );
}

/** What was asked or built before the restore is over. */
async function settleEngine(client: Client, madeAt: string): Promise<void> {
  await client.query(
    `UPDATE engine.command SET done_at = now(), outcome = 'refused', detail = $1 WHERE done_at IS NULL`,
    [`the backup of ${madeAt} was restored meanwhile`],
  );
  await client.query(
    `UPDATE engine.version v SET state = 'dropping' FROM engine.rebuild r
     WHERE r.model = v.model AND r.version = v.version AND r.finished_at IS NULL`,
  );
  await client.query(
    `UPDATE engine.rebuild SET state = 'cancelled', finished_at = now() WHERE finished_at IS NULL`,
  );
}

/** Rows that were made without the keys that are back, or with keys that are gone, are made again. */
async function orderRebuilds(client: Client, madeAt: string): Promise<string[]> {
  const { rows } = await client.query(
    `INSERT INTO engine.command (id, kind, model, asked_by)
     SELECT uuidv7(), 'rebuild', model, $1 FROM engine.serving ORDER BY model RETURNING model`,
    [`restore of ${madeAt}`],
  );
  return rows.map((row) => row.model);
}

interface CaughtUp extends Pick<RestoreReport, 'since' | 'frames'> {
  /** Keys of Redis that say less than Postgres does now. */
  forget: string[];
}

const vaultOnly: CaughtUp = { since: null, frames: null, forget: [] };

/** What the log has got since, before anybody is served. */
async function catchUp(
  { config, kafka, redis }: Servers,
  client: Client,
  { reactors }: Header,
  { heads }: Trailer,
): Promise<CaughtUp> {
  const { registryUrl, prefix } = config;
  const codec = await openCodec<Event>({ registryUrl, catalog: eventCatalog, prefix });
  const stream = reactors.find(({ model }) => model === 'stream');
  const told = stream && (await openToldFrames(client, redis, prefix, stream.schema));
  const consumer = stream && consumerOf(stream.model, stream.version);
  const stretches = await stretchesSince(client, kafka, prefix, heads, consumer ?? null);
  const since = await readSince({ kafka, prefix, codec, stretches, heads }, client, (event) =>
    told?.note(codec.reveal(event, () => undefined)),
  );
  if (!told) return { since, frames: null, forget: [] };
  const { forget, ...entered } = await told.settle(client);
  return { since, frames: { ...entered, forgotten: forget.length }, forget };
}

/** From where the log ended then, or from where the reactor stood if that was before. */
async function stretchesSince(
  client: Client,
  kafka: Kafka,
  prefix: string,
  heads: Trailer['heads'],
  consumer: string | null,
): Promise<Stretch[]> {
  const { rows } = await client.query(
    'SELECT topic, partition, position FROM engine.position WHERE consumer = $1',
    [consumer],
  );
  const stood = new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row.position as number]));
  const now = await fetchHeads(kafka, prefix, topics);
  return [...now].flatMap(([topic, ends]) =>
    ends.map((to, partition) => {
      const then = heads[topic]?.[partition] ?? 0;
      const from = Math.min(then, stood.get(`${topic}/${partition}`) ?? then);
      return { topic, partition, from: BigInt(from), to };
    }),
  );
}

/** Timelines were written under positions that are no more: whoever writes them now would be taken for stale. */
async function forgetInRedis({ config, redis }: Servers, keys: readonly string[]): Promise<void> {
  await removeKeys(redis, keys);
  for await (const timelines of scanKeys(redis, `${config.prefix}tl:`)) await removeKeys(redis, timelines);
}
