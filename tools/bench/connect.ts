import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findJava } from '../../deploy/native/install/java.ts';
import { installConnect } from '../../deploy/native/install/maven.ts';
import { resolvePaths } from '../../deploy/native/paths.ts';
import { createProgress } from '../../deploy/native/progress.ts';
import { createTopics, topicName } from '../../platform/log/topics.ts';
import { settleDisk } from './ceilings.ts';
import type { Run } from './figures.ts';
import { appendRecords, type LikeFact, mapped } from './likes.ts';
import { peakMemoryMb } from './process.ts';
import type { BenchWorld } from './world.ts';

/** Kafka Connect with Debezium's JDBC sink, as far as a bench sets it. */
export interface ConnectSetting {
  batch: number;
  /** One statement a batch with arrays, as our own does; otherwise the driver rewrites what it is given. */
  unnest: boolean;
}

export interface Connect {
  /** Writes all the facts to an empty table, with no counters and no index but the key. */
  write(setting: ConnectSetting): Promise<Run>;
}

const topic = 'like-flat';

/** Fetches what is missing, and appends the facts once more as the sink takes them: flat JSON with schema. */
export async function openConnect(world: BenchWorld, facts: () => Iterable<LikeFact>): Promise<Connect> {
  const progress = createProgress();
  const folder = await installConnect({ folder: resolvePaths(process.env).cache, progress });
  progress.end();
  await createTopics(world.kafka, {
    prefix: world.prefix,
    topics: [topic],
    partitions: Number(world.env.EMULSION_PARTITIONS),
  });
  const name = topicName(world.prefix, topic);
  await appendRecords(
    world,
    mapped(facts(), (fact) => ({ topic: name, key: fact.likerId, value: flatJson(fact) })),
  );
  const unique = new Set(mapped(facts(), ({ postId, likerId }) => postId + likerId)).size;
  const records = [...mapped(facts(), () => 1)].length;
  let runs = 0;
  return {
    async write(setting) {
      runs += 1;
      await world.owner.query(
        `DROP TABLE IF EXISTS flat_like; CREATE TABLE flat_like (post_id uuid, liker_id uuid, live boolean NOT NULL,
           event_time timestamptz NOT NULL, event_id uuid NOT NULL, PRIMARY KEY (post_id, liker_id))`,
      );
      await settleDisk(world.owner);
      const worker = await startWorker(world, folder, { ...setting, name: `${world.prefix}sink-${runs}` });
      const run = await untilWritten(world, worker, unique, records);
      await worker.stop();
      return run;
    },
  };
}

const uuid = (field: string) => ({ field, type: 'string', name: 'io.debezium.data.Uuid', optional: false });
const schema = {
  type: 'struct',
  optional: false,
  fields: [
    uuid('post_id'),
    uuid('liker_id'),
    { field: 'live', type: 'boolean', optional: false },
    { field: 'event_time', type: 'string', name: 'io.debezium.time.ZonedTimestamp', optional: false },
    uuid('event_id'),
  ],
};

function flatJson({ postId, likerId, live, at, eventId }: LikeFact): string {
  const payload = {
    ...{ post_id: postId, liker_id: likerId, live },
    ...{ event_time: new Date(at).toISOString(), event_id: eventId },
  };
  return JSON.stringify({ schema, payload });
}

interface Worker {
  pid: number;
  /** Throws with what it said last when it has ended, or when its task has failed. */
  mustRun(): Promise<void>;
  stop(): Promise<void>;
}

const lastLines = 15;

async function startWorker(
  world: BenchWorld,
  folder: string,
  setting: ConnectSetting & { name: string },
): Promise<Worker> {
  const own = mkdtempSync(join(tmpdir(), 'emulsion-connect-'));
  const [worker, sink] = [join(own, 'worker.properties'), join(own, 'sink.properties')];
  const rest = `http://127.0.0.1:${await freePort()}`;
  writeFileSync(worker, lines(workerSettings(world, folder, own, { ...setting, rest })));
  writeFileSync(sink, lines(sinkSettings(world, setting)), { mode: 0o600 });
  const logging = `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`;
  const main = 'org.apache.kafka.connect.cli.ConnectStandalone';
  const args = ['-Xms256m', '-Xmx1g', logging, '-cp', join(folder, 'libs/*'), main, worker, sink];
  const child = spawn(findJava(17, 'Kafka Connect'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said = [...said, ...String(chunk).trimEnd().split('\n')].slice(-lastLines);
    });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(own, { recursive: true, force: true });
  };
  world.atEnd(stop);
  return {
    pid: child.pid!,
    async mustRun() {
      if (child.exitCode !== null) throw new Error(`Kafka Connect ended:\n${said.join('\n')}`);
      const trace = await failureOf(`${rest}/connectors/${setting.name}/status`);
      if (trace) throw new Error(`Kafka Connect's task has failed: ${trace}`);
    },
    stop,
  };
}

/** Why a task of this connector has failed; null while none has, and before the worker listens. */
async function failureOf(status: string): Promise<string | null> {
  const answer = await fetch(status).catch(() => null);
  if (!answer?.ok) return null;
  const { tasks } = (await answer.json()) as { tasks: { state: string; trace?: string }[] };
  const failed = tasks.find(({ state }) => state === 'FAILED');
  return failed ? causesOf(failed.trace ?? 'it does not say why') : null;
}

/** Of a stack trace what went wrong, the cause last; a whole batch may be in it. */
function causesOf(trace: string): string {
  const said = trace.split('\n').filter((line, n) => n === 0 || line.startsWith('Caused by'));
  return said.map((line) => line.slice(0, 200)).join('\n');
}

function workerSettings(
  { env }: BenchWorld,
  folder: string,
  own: string,
  { batch, rest }: ConnectSetting & { rest: string },
): Record<string, string> {
  return {
    'bootstrap.servers': env.KAFKA_BROKERS!,
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'true',
    'offset.storage.file.filename': join(own, 'offsets'),
    'plugin.path': join(folder, 'plugins'),
    listeners: rest,
    // A batch can not be larger than what one poll brings.
    'consumer.max.poll.records': String(batch),
  };
}

function sinkSettings(
  { env, prefix }: BenchWorld,
  { name, batch, unnest }: ConnectSetting & { name: string },
): Record<string, string> {
  const url = new URL(env.DATABASE_URL!);
  return {
    name,
    'connector.class': 'io.debezium.connector.jdbc.JdbcSinkConnector',
    'tasks.max': '1',
    topics: topicName(prefix, topic),
    'connection.url': `jdbc:postgresql://${url.host}${url.pathname}?reWriteBatchedInserts=true`,
    'connection.username': decodeURIComponent(url.username),
    'connection.password': decodeURIComponent(url.password),
    'insert.mode': 'upsert',
    'primary.key.mode': 'record_value',
    'primary.key.fields': 'post_id,liker_id',
    'schema.evolution': 'none',
    'collection.name.format': 'flat_like',
    'batch.size': String(batch),
    // Of a key that comes twice in a batch the statement must have the last alone.
    'use.reduction.buffer': 'true',
    ...(unnest ? { 'dialect.postgres.unnest.insert.enabled': 'true' } : {}),
  };
}

function lines(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

const lookEveryMs = 250;

/** From the first rows that are seen to the last: its start is not counted. */
async function untilWritten(
  { owner }: BenchWorld,
  worker: Worker,
  unique: number,
  records: number,
): Promise<Run> {
  let first: { rows: number; at: number } | null = null;
  for (;;) {
    await worker.mustRun();
    const at = performance.now();
    const rows = (await owner.query('SELECT count(*) AS n FROM flat_like')).rows[0].n as number;
    if (first && rows === unique) {
      const count = Math.round(((unique - first.rows) / unique) * records);
      return { count, seconds: (at - first.at) / 1_000, memoryMb: peakMemoryMb(worker.pid) };
    }
    if (rows > 0) first ??= { rows, at };
    await sleep(lookEveryMs);
  }
}
