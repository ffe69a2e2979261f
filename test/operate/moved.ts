import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { expect, vi } from 'vitest';
import { modelTopics } from '../../schemas/models.ts';
import { isEqual, verify } from '../../tools/verify/verify.ts';
import { openWorld } from '../../tools/verify/world.ts';
import { type Client, createClient, type Person } from '../harness/client.ts';
import { defineService, type Service, type ServiceName, serviceNames } from '../harness/services.ts';
import { headsOf, type World } from '../harness/world.ts';
import { connect } from '../stream/stage.ts';

/** The product of a world on other ground: another database, or another generation of the log. */
export interface Moved {
  env: Record<string, string>;
  owner: pg.Pool;
  services: Record<ServiceName, Service>;
  api: Client;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Resolves when every model is served and has applied the whole log. */
  level(): Promise<void>;
  /** Everything verify finds wrong. */
  differences(): Promise<unknown>;
  /** Ends its processes and connections; what it stands on stays. */
  close(): Promise<void>;
}

/** What readers ask for, and what operators have ruled. */
const served = [...Object.keys(modelTopics), 'rulings'].sort();
const patience = { timeout: 180_000, interval: 250 };

/** `changes` are keys of the environment that are another than the world's. */
export async function moveWorld(
  world: World,
  label: string,
  changes: Record<string, string>,
): Promise<Moved> {
  const env = { ...world.env, ...changes };
  const logs = path.join(tmpdir(), 'emulsion-tests', env.EMULSION_PREFIX!.replace(/\.$/, ''));
  const services = {} as Record<ServiceName, Service>;
  for (const name of serviceNames)
    services[name] = await defineService(name, env, logs, { label: `${name}-${label}` });
  const owner = new pg.Pool({ connectionString: env.DATABASE_URL, max: 2 });
  owner.on('error', () => {});
  const stop = async (): Promise<void> => {
    await Promise.all(Object.values(services).map((service) => service.stop()));
  };
  return {
    env,
    owner,
    services,
    api: createClient(services),
    stop,
    async start() {
      await Promise.all(Object.values(services).map((service) => service.start()));
    },
    level: () => vi.waitFor(() => mustBeLevel(world, env, owner), patience),
    async differences() {
      const log = await openWorld(env);
      try {
        const report = await verify(log, { models: [] });
        return isEqual(report) ? [] : [...report.findings, ...report.differences];
      } finally {
        await log.close();
      }
    },
    async close() {
      await stop();
      await owner.end();
    },
  };
}

async function mustBeLevel(world: World, env: Record<string, string>, owner: pg.Pool): Promise<void> {
  const { rows: models } = await owner.query('SELECT model FROM engine.serving ORDER BY 1');
  expect(models.map(({ model }) => model)).toEqual(served);
  const heads = await headsOf(world.kafka, env.EMULSION_PREFIX!);
  const { rows } = await owner.query('SELECT consumer, topic, partition, position FROM engine.position');
  const behind = rows.filter((row) => BigInt(row.position) !== heads.get(`${row.topic}/${row.partition}`));
  expect(behind).toEqual([]);
}

export interface Told {
  seq: number;
  type: string;
  time: string;
  data: object;
}

/** All that a socket of theirs is told from the beginning up to the newest there is. */
export async function framesOf(service: Service, person: Person): Promise<Told[]> {
  const socket = connect(service, { token: person.token, query: { cursor: '0' } });
  try {
    const { head } = await socket.hello();
    if (head > 0) await socket.until(({ seq, traceId }) => traceId !== undefined && seq === head, 30_000);
    return socket.got
      .filter(({ traceId }) => traceId !== undefined)
      .map(({ seq, type, time, data }) => ({ seq, type, time, data }));
  } finally {
    socket.close();
  }
}
