import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dependencyOf, reasonOf } from '../../platform/log/outage.ts';
import { createPool } from '../../platform/postgres/pool.ts';
import { createRedis } from '../../platform/redis/redis.ts';
import { openStorage } from '../../platform/storage/s3.ts';
import { type Door, openDoor } from '../harness/door.ts';

/** What each client says when nobody listens, and when the one it talks to is cut off. */
let door: Door;
beforeAll(async () => {
  door = await openDoor('127.0.0.1:1');
});
afterAll(() => door.close());

async function failureOf(work: () => Promise<unknown>): Promise<Error> {
  return work().then(
    () => expect.unreachable('it answered'),
    (error: Error) => error,
  );
}

const askers: Record<string, () => Promise<unknown>> = {
  async broker() {
    const retry = { retries: 0 };
    const kafka = new Kafka({ brokers: [door.address], logLevel: logLevel.NOTHING, retry });
    await kafka.admin().connect();
  },
  async registry() {
    await new SchemaRegistry({ host: `http://${door.address}/x` }, {
      retry: { retries: 0 },
    } as never).getSchema(1);
  },
  async postgres() {
    const pool = createPool(`postgresql://a:b@${door.address}/c`, { name: 'test', max: 1 });
    await pool.query('SELECT').finally(() => pool.end());
  },
  async redis() {
    const redis = createRedis(`redis://${door.address}`, { name: 'test' });
    await redis.ping().finally(() => redis.disconnect());
  },
  async 'object store'() {
    const keys = { accessKeyId: 'a', secretAccessKey: 'b', region: 'us-east-1', bucket: 'c' };
    const endpoint = `http://${door.address}`;
    const storage = openStorage({ endpoint, publicEndpoint: endpoint, ...keys });
    await storage.head('a').finally(() => storage.close());
  },
};

describe('an outage is told by what its client says', () => {
  it.each(Object.entries(askers))('%s, cut off and refused', async (dependency, asker) => {
    await door.open();
    const cut = await failureOf(asker);
    expect([dependencyOf(cut), reasonOf(cut)]).toEqual([
      dependency,
      expect.stringMatching(new RegExp(`^waiting for ${dependency}: .`)),
    ]);
    await door.shut();
    expect(dependencyOf(await failureOf(asker))).toBe(dependency);
  });

  it('postgres also when it answers by an error, such as a full disk or a lock held for too long', async () => {
    const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
    await client.connect();
    const raise = "DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$";
    expect(dependencyOf(await failureOf(() => client.query(raise)))).toBe('postgres');
    await client.end();
  });

  it('a mistake of our own is nobody elses outage', () => {
    expect(dependencyOf(new TypeError('x is not a function'))).toBeNull();
    expect(reasonOf(new TypeError('x is not a function'))).toBe('x is not a function');
  });
});
