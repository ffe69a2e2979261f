import { randomBytes } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ProblemError } from '../../platform/errors/problem.ts';
import { type Appender, type EncodedRecord, openAppender } from '../../platform/log/appender.ts';
import { partitionOf } from '../../platform/log/partition.ts';
import type { Position } from '../../platform/log/position.ts';
import { createTopics } from '../../platform/log/topics.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { createRandom } from '../../tools/load/random.ts';
import { type LoggedRecord, readTopic } from '../harness/log.ts';
import { dealtFaults, type KafkaProxy, openKafkaProxy } from '../harness/proxy.ts';

const prefix = `t${randomBytes(5).toString('hex')}.`;
const partitions = 12;
const brokers = process.env.KAFKA_BROKERS!.split(',');
const direct = new Kafka({ brokers, clientId: prefix, logLevel: logLevel.NOTHING });
const log = createLogger('test', 'silent');
const topics = ['lossy', 'late', 'oversized', 'broken', 'crowded'];

beforeAll(() => createTopics(direct, { prefix, topics, partitions }).then(() => {}));

afterAll(async () => {
  const admin = direct.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: topics.map((topic) => prefix + topic) });
  await admin.disconnect();
});

interface Outcome {
  record: EncodedRecord;
  /** null when the caller was told that the outcome is unknown. */
  position: Position | null;
}

function recordOf(topic: string, key: string, bytes = 60): EncodedRecord {
  const headers = { ce_id: v7(), ce_type: 'Tried', traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` };
  return { topic, key, value: randomBytes(bytes), headers };
}

/** Appends, and takes only one refusal for an answer: that the outcome is unknown. */
async function attempt(appender: Appender, record: EncodedRecord): Promise<Outcome> {
  try {
    return { record, position: await appender.append(record) };
  } catch (error) {
    if ((error as ProblemError).code !== 'outcome_unknown') throw error;
    return { record, position: null };
  }
}

function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'appended',
    (error: ProblemError) => error.code,
  );
}

function acknowledged(outcomes: Outcome[]): Outcome[] {
  return outcomes.filter(({ position }) => position !== null);
}

/** Each id once, where it first is: what a consumer takes. */
function idsOf(logged: LoggedRecord[]): string[] {
  return [...new Set(logged.map(({ id }) => id))];
}

function expectEachWhereItWasSaidToBe(outcomes: Outcome[], logged: LoggedRecord[]): void {
  const at = new Map(logged.map((record) => [`${record.partition}/${record.offset}`, record.id]));
  const wrong = acknowledged(outcomes).filter(
    ({ record, position }) => at.get(`${position!.partition}/${position!.offset}`) !== record.headers.ce_id,
  );
  expect(wrong).toEqual([]);
}

describe('answers of the broker that get lost under load', () => {
  const callers = 36;
  const each = 140;
  const bursts = { count: 6, size: 600, keys: 200 };
  let proxy: KafkaProxy;
  let appender: Appender;
  let outcomes: Outcome[] = [];
  let logged: LoggedRecord[] = [];

  beforeAll(async () => {
    proxy = await openKafkaProxy(brokers[0]!);
    const kafka = new Kafka({
      brokers,
      clientId: 'lossy',
      requestTimeout: 500,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 5 },
      logLevel: logLevel.NOTHING,
      socketFactory: proxy.socketFactory,
    });
    appender = await openAppender({ kafka, prefix, partitions, log });
    outcomes = await underFaults();
    proxy.faultOf = () => 'none';
    await appender.close();
    logged = await readTopic(direct, `${prefix}lossy`);
  });

  afterAll(() => proxy.close());

  /** Callers that write one after the other, a storm that no answer survives until somebody is told so, then bursts. */
  async function underFaults(): Promise<Outcome[]> {
    const random = createRandom(prefix);
    const some = dealtFaults(random);
    const done: Outcome[] = [];
    const call = async (key: string): Promise<void> => {
      const outcome = await attempt(appender, recordOf('lossy', key));
      done.push(outcome);
      if (done.length === (callers * each) / 2) proxy.faultOf = () => 'cut at response';
      else if (outcome.position === null) proxy.faultOf = some;
    };
    const calls = async (key: string): Promise<void> => {
      for (let n = 0; n < each; n += 1) await call(key);
    };
    proxy.faultOf = some;
    await Promise.all(Array.from({ length: callers }, (_, caller) => calls(`caller-${caller}`)));
    for (let burst = 0; burst < bursts.count; burst += 1) {
      const keys = Array.from({ length: bursts.size }, () => `burst-${random.below(bursts.keys)}`);
      await Promise.all(keys.map(call));
    }
    return done;
  }

  it('struck in every way, and most writes were acknowledged nevertheless', () => {
    for (const count of Object.values(proxy.counts)) expect(count).toBeGreaterThan(0);
    expect(outcomes).toHaveLength(callers * each + bursts.count * bursts.size);
    expect(acknowledged(outcomes).length).toBeGreaterThan(outcomes.length * 0.6);
    expect(acknowledged(outcomes).length).toBeLessThan(outcomes.length);
    // A request that was written and not answered is written again.
    expect(logged.length).toBeGreaterThan(idsOf(logged).length);
  });

  it('lose no acknowledged write', () => {
    const found = new Set(idsOf(logged));
    const lost = acknowledged(outcomes).filter(({ record }) => !found.has(record.headers.ce_id));
    expect(lost.map(({ record }) => `${record.key} ${record.headers.ce_id}`)).toEqual([]);
  });

  it('put no record where another was said to be, and none that nobody sent', () => {
    expectEachWhereItWasSaidToBe(outcomes, logged);
    const sent = new Set(outcomes.map(({ record }) => record.headers.ce_id));
    expect(logged.filter(({ id }) => !sent.has(id))).toEqual([]);
  });

  it('keep the order of what one caller wrote one after the other', () => {
    const ids = new Set(acknowledged(outcomes).map(({ record }) => record.headers.ce_id));
    for (let caller = 0; caller < callers; caller += 1) {
      const key = `caller-${caller}`;
      const wrote = acknowledged(outcomes).filter(({ record }) => record.key === key);
      const lies = idsOf(logged.filter((record) => record.key === key && ids.has(record.id)));
      expect(lies).toEqual(wrote.map(({ record }) => record.headers.ce_id));
    }
  });
});

it('a write that waited behind a hanging one until its caller was told so is not made for the first time then', async () => {
  const proxy = await openKafkaProxy(brokers[0]!);
  const { socketFactory } = proxy;
  const kafka = new Kafka({ brokers, requestTimeout: 12_000, logLevel: logLevel.NOTHING, socketFactory });
  const appender = await openAppender({ kafka, prefix, partitions, log });
  proxy.faultOf = () => 'response lost';
  const [sent, waiting] = [recordOf('late', 'sent'), recordOf('late', 'waiting')];
  const hanging = attempt(appender, sent);
  await vi.waitFor(() => expect(proxy.counts['response lost']).toBe(1));
  expect([(await attempt(appender, waiting)).position, (await hanging).position]).toEqual([null, null]);
  proxy.faultOf = () => 'none';
  await appender.close();
  proxy.close();
  expect(idsOf(await readTopic(direct, `${prefix}late`))).toEqual([sent.headers.ce_id]);
}, 60_000);

describe('an append that cannot be', () => {
  let appender: Appender;
  const open = (count: number) => openAppender({ kafka: direct, prefix, partitions: count, log });

  beforeAll(async () => {
    appender = await open(partitions);
  });

  afterAll(() => appender.close());

  it('is refused for its size before it is gathered, and harms no neighbour', async () => {
    const small = Array.from({ length: 200 }, (_, n) => recordOf('oversized', `key-${n}`));
    const allowed = recordOf('oversized', 'large', 900_000);
    const refused = recordOf('oversized', 'large', 900_001);
    const before = small.slice(0, 100).map((record) => attempt(appender, record));
    const answers = [refused, recordOf('oversized', 'large', 5_000_000)].map((record) =>
      codeOf(appender.append(record)),
    );
    const after = [allowed, ...small.slice(100)].map((record) => attempt(appender, record));
    expect(await Promise.all(answers)).toEqual(['event_too_large', 'event_too_large']);
    const outcomes = await Promise.all([...before, ...after]);
    const logged = await readTopic(direct, `${prefix}oversized`);
    expect(acknowledged(outcomes)).toHaveLength(201);
    expect(idsOf(logged).sort()).toEqual(outcomes.map(({ record }) => record.headers.ce_id).sort());
  });

  it('leaves its neighbours alone when its partition does not exist', async () => {
    const misled = await open(partitions + 1);
    const records = Array.from({ length: 300 }, (_, n) => recordOf('broken', `key-${n}`));
    const outcomes = await Promise.all(records.map((record) => attempt(misled, record)));
    await misled.close();
    const hopeless = records.filter(({ key }) => partitionOf(key, partitions + 1) === partitions);
    expect(hopeless.length).toBeGreaterThan(0);
    const unknown = outcomes.filter(({ position }) => position === null);
    expect(unknown.map(({ record }) => record.key)).toEqual(hopeless.map(({ key }) => key));
    expectEachWhereItWasSaidToBe(outcomes, await readTopic(direct, `${prefix}broken`));
  });

  it('leaves its neighbours alone when its topic does not exist, then and later', async () => {
    const absent = attempt(appender, recordOf('absent', 'key'));
    const neighbours = Array.from({ length: 50 }, (_, n) => recordOf('broken', `neighbour-${n}`));
    const outcomes = await Promise.all(neighbours.map((record) => attempt(appender, record)));
    expect((await absent).position).toBeNull();
    expect(() => appender.check()).toThrow('was not confirmed');
    outcomes.push(await attempt(appender, recordOf('broken', 'later')));
    expect(() => appender.check()).not.toThrow();
    expect(acknowledged(outcomes)).toHaveLength(51);
    expectEachWhereItWasSaidToBe(outcomes, await readTopic(direct, `${prefix}broken`));
  });
});

describe('a crowd', () => {
  let appender: Appender;

  beforeAll(async () => {
    appender = await openAppender({ kafka: direct, prefix, partitions, log });
  });

  afterAll(() => appender.close());

  it('that writes megabytes under one key at once is served, in its order', async () => {
    const records = Array.from({ length: 3_000 }, () => recordOf('crowded', 'one', 1_500));
    const outcomes = await Promise.all(records.map((record) => attempt(appender, record)));
    expect(acknowledged(outcomes)).toHaveLength(records.length);
    const logged = await readTopic(direct, `${prefix}crowded`);
    expect(idsOf(logged)).toEqual(records.map(({ headers }) => headers.ce_id));
  });

  it('of the largest records under one key is served too', async () => {
    const records = Array.from({ length: 6 }, () => recordOf('crowded', 'one', 900_000));
    const outcomes = await Promise.all(records.map((record) => attempt(appender, record)));
    expect(acknowledged(outcomes)).toHaveLength(records.length);
  });

  it('beyond the bound is told at once that nothing was written', async () => {
    const records = Array.from({ length: 20_500 }, (_, n) => recordOf('crowded', `many-${n}`));
    const answers = await Promise.all(records.map((record) => codeOf(appender.append(record))));
    const counts = Map.groupBy(answers, (answer) => answer);
    expect(counts.get('appended')).toHaveLength(20_000);
    expect(counts.get('dependency_unavailable')).toHaveLength(500);
    const refused = new Set(
      records.filter((_, n) => answers[n] !== 'appended').map(({ headers }) => headers.ce_id),
    );
    const logged = await readTopic(direct, `${prefix}crowded`);
    expect(logged.filter(({ id }) => refused.has(id))).toEqual([]);
  });
});
