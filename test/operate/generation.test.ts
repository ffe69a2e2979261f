import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { partitionOf } from '../../platform/log/partition.ts';
import { letterId } from '../../schemas/operator/dead-letter.ts';
import { topics } from '../../schemas/topics.ts';
import { prepare } from '../../tools/stack/prepare.ts';
import { type People, peopleOf } from '../features/people.ts';
import { expectStatus, type Person } from '../harness/client.ts';
import { type LoggedRecord, readTopic } from '../harness/log.ts';
import { discardLetter } from '../harness/rulings.ts';
import { startWorld, type World } from '../harness/world.ts';
import { emulsion, type Printed } from './cli.ts';
import { framesOf, type Moved, moveWorld, type Told } from './moved.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });
const patienceMs = 120_000;
const partitions = 6;
const writers = ['command-api', 'projectors', 'reactors', 'media-pipeline'] as const;

let world: World;
let next: Moved;
let people: People;
let ana: Person;
let fans: Person[];
let post: string;
let told: Map<Person, Told[]>;
const published = randomUUID();

beforeAll(async () => {
  world = await startWorld();
  people = peopleOf(world);
  const prefix = `${world.prefix}g2.`;
  next = await moveWorld(world, 'g2', { EMULSION_PREFIX: prefix, EMULSION_PARTITIONS: String(partitions) });
  const everybody = await Promise.all(Array.from({ length: 7 }, () => world.api.register()));
  ana = everybody[0]!;
  fans = everybody.slice(1);
  await world.drained(patienceMs);
  for (const fan of fans) await people.follow(fan, ana);
  const photo = await people.photo(ana);
  post = await publish();
  await world.drained(patienceMs);
  for (const fan of fans.slice(0, 4)) await people.like(fan, post);

  async function publish(): Promise<string> {
    const body = { caption: 'Seen twice', media: [photo] };
    const answer = await world.api.as(ana, 'POST', '/api/posts', body, { 'idempotency-key': published });
    expectStatus(answer, 201);
    return answer.body.id;
  }
});
afterAll(async () => {
  await next?.close();
  const admin = world?.kafka.admin();
  await admin?.connect();
  await admin?.deleteTopics({ topics: topics.map((topic) => `${next.env.EMULSION_PREFIX}${topic}`) });
  await admin?.disconnect();
  await world?.stop();
});

const generation = (
  env: Record<string, string>,
  kind: string,
  to: Record<string, string>,
): Promise<Printed> =>
  emulsion(
    env,
    ...['generation', kind, '--to-prefix', to.EMULSION_PREFIX!, '--partitions', to.EMULSION_PARTITIONS!],
    '--json',
  );

const likesOf = (env: Record<string, string>): Promise<LoggedRecord[]> =>
  readTopic(world.kafka, `${env.EMULSION_PREFIX}like-events`);

/** What happened to each key, in its order. */
function histories(records: readonly LoggedRecord[]): Map<string, string[]> {
  const byKey = Map.groupBy(records, ({ key }) => key);
  return new Map([...byKey].map(([key, own]) => [key, own.map(({ id }) => id)]));
}

/** A record that no model can decode, where its key belongs. Gives its place. */
async function poison(key: string): Promise<{ topic: string; partition: number; offset: number }> {
  const producer = world.kafka.producer();
  await producer.connect();
  const partition = partitionOf(key, 4);
  const headers = { ce_id: randomUUID(), ce_type: 'PostLiked', traceparent: '' };
  const [sent] = await producer.send({
    topic: `${world.prefix}like-events`,
    messages: [{ key, partition, headers, value: 'nothing that was ever encoded' }],
  });
  await producer.disconnect();
  return { topic: 'like-events', partition, offset: Number(sent!.baseOffset) };
}

let rotten: string;

test('the log is copied while it is written, and again what came meanwhile', async () => {
  rotten = randomUUID();
  const place = await poison(rotten);
  await discardLetter(world, { model: 'likes', ...place });
  const first = await generation(world.env, 'copy', next.env);
  expect(first.err).toBe('');
  expect(JSON.parse(first.out)).toMatchObject({
    records: { 'user-events': 7, 'like-events': 5 },
    rulings: 1,
  });
  for (const fan of fans.slice(4)) await people.like(fan, post);
  const second = await generation(world.env, 'copy', next.env);
  expect(JSON.parse(second.out)).toMatchObject({ copied: 2, records: { 'like-events': 7 } });
  const records = await likesOf(next.env);
  expect(records.every(({ key, partition }) => partition === partitionOf(key, partitions))).toBe(true);
  expect(histories(records)).toEqual(histories(await likesOf(world.env)));
});

test('nothing is switched while somebody writes, or is behind', async () => {
  const busy = await generation(world.env, 'switch', next.env);
  expect(busy).toMatchObject({ status: 1 });
  expect(busy.err).toContain('Still at work: command-api');
  await world.drained(patienceMs);
  await world.services.projectors.stop();
  await people.unlike(fans[0]!, post);
  await people.like(fans[0]!, post);
  await Promise.all(writers.map((name) => world.services[name].stop()));
  const behind = await generation(world.env, 'switch', next.env);
  expect(behind).toMatchObject({ status: 1 });
  expect(behind.err).toMatch(/likes\.v1 like-events\/\d is at \d+, the log ends at \d+/);
});

test('readers go on through the switch; the old environment is refused from then on', async () => {
  for (const name of ['projectors', 'reactors', 'media-pipeline'] as const)
    await world.services[name].start();
  await world.drained(patienceMs);
  told = new Map();
  for (const person of [ana, ...fans]) told.set(person, await framesOf(world.services.stream, person));
  for (const name of ['projectors', 'reactors', 'media-pipeline'] as const) await world.services[name].stop();
  const switched = await generation(world.env, 'switch', next.env);
  expect(switched.err).toBe('');
  // Two models had parked the record.
  expect(JSON.parse(switched.out)).toMatchObject({ rulings: 1, parked: 1, rebuilds: ['rulings'] });
  const read = await world.api.call('GET', `/api/posts/${post}`);
  expect(read).toMatchObject({ status: 200, body: { likeCount: 6 } });
  await expect(prepare(world.env, () => {})).rejects.toThrow('goes with the log');
});

test('the tables are those of the new generation, to the row, and nobody is told anything again', async () => {
  await Promise.all(Object.values(world.services).map((service) => service.stop()));
  await next.start();
  await next.level();
  await rulingsBuilt(1);
  expect(await next.differences()).toEqual([]);
  for (const [person, frames] of told) expect(await framesOf(next.services.stream, person)).toEqual(frames);
});

async function rulingsBuilt(times: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rows } = await next.owner.query(
        `SELECT count(*)::int AS built FROM engine.rebuild WHERE model = 'rulings' AND state = 'switched'`,
      );
      expect(rows[0]).toEqual({ built: times });
    },
    { timeout: 180_000, interval: 500 },
  );
}

test('dead letters and what was ruled on them name the same record in its new place', async () => {
  const records = await likesOf(next.env);
  const { offset, partition } = records.find(({ key }) => key === rotten)!;
  const parked = await next.owner.query(
    'SELECT DISTINCT partition, "offset"::int, key FROM engine.parked WHERE topic = $1',
    ['like-events'],
  );
  expect(parked.rows).toEqual([{ partition, offset: Number(offset), key: rotten }]);
  const place = { model: 'likes', topic: 'like-events', partition, offset };
  const ruled = await next.owner.query(
    'SELECT letter_id, log_partition, log_offset::int, verdict FROM served.ruling',
  );
  expect(ruled.rows).toEqual([
    {
      letter_id: letterId(place),
      log_partition: partition,
      log_offset: Number(offset),
      verdict: 'discarded',
    },
  ]);
});

test('positions of before are refused, answers of before are given again', async () => {
  const stale = await next.api.call('GET', `/api/posts/${post}`, {
    token: ana.token,
    headers: { 'x-min-position': ana.position! },
  });
  expect(stale).toMatchObject({ status: 400, body: { code: 'position_invalid' } });
  const { rows } = await next.owner.query(
    `SELECT count(*)::int AS kept FROM vault.idempotency WHERE answer IS NOT NULL`,
  );
  expect(rows[0].kept).toBeGreaterThan(0);
  const repeated = await next.api.call('POST', '/api/posts', {
    token: ana.token,
    headers: { 'idempotency-key': published },
    body: { caption: 'Seen twice', media: await mediaOf(post) },
  });
  expect(repeated).toMatchObject({ status: 201, body: { id: post } });
  const position = repeated.headers.get('x-position')!;
  const read = await next.api.call('GET', '/api/feed', {
    token: ana.token,
    headers: { 'x-min-position': position },
  });
  expect(read.status).toBe(200);
});

async function mediaOf(postId: string): Promise<string[]> {
  const { body } = await next.api.call('GET', `/api/posts/${postId}`);
  return body.media.map(({ id }: { id: string }) => id);
}

test('a like of before is taken back where it lies now', async () => {
  const [fan, other] = [
    { ...fans[1]!, position: null },
    { ...fans[2]!, position: null },
  ];
  const acts = peopleOf({ ...world, api: next.api });
  await acts.unlike(fan, post);
  await acts.unlike(other, post);
  await acts.like(other, post);
  await next.level();
  const read = await acts.read(fan, `/api/posts/${post}`);
  expect(read).toMatchObject({ likeCount: 5, likedByViewer: false });
  const own = (await likesOf(next.env)).filter(({ key }) => key === fan.id);
  expect(own.map(({ type }) => type)).toEqual(['PostLiked', 'PostUnliked']);
  expect(new Set(own.map(({ partition }) => partition))).toEqual(new Set([partitionOf(fan.id, partitions)]));
  expect(await next.differences()).toEqual([]);
});

test('the way back is the same, and loses nothing that was written since', async () => {
  await next.level();
  await next.stop();
  const back = await generation(next.env, 'switch', world.env);
  expect(back.err).toBe('');
  expect(JSON.parse(back.out)).toMatchObject({ copied: 3, rulings: 1 });
  expect(histories(await likesOf(world.env))).toEqual(histories(await likesOf(next.env)));
  const before = await moveWorld(world, 'back', {});
  try {
    await before.start();
    await before.level();
    const read = await before.api.call('GET', `/api/posts/${post}`);
    expect(read).toMatchObject({ status: 200, body: { likeCount: 5 } });
    await rulingsBuilt(2);
    expect(await before.differences()).toEqual([]);
    const rotted = (await likesOf(world.env)).find(({ key }) => key === rotten)!;
    const { rows } = await before.owner.query('SELECT DISTINCT partition, "offset"::int FROM engine.parked');
    expect(rows).toEqual([{ partition: rotted.partition, offset: Number(rotted.offset) }]);
  } finally {
    await before.close();
  }
});
