import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { partitionOf } from '../../platform/log/partition.ts';
import { openRulings } from '../../platform/log/rulings.ts';
import { parkedAs, parkRecords, settleLetters } from '../../platform/postgres/parked.ts';
import { type Client, transaction } from '../../platform/postgres/pool.ts';
import { likes } from '../../projectors/content/like.model.ts';
import { type Installed, writeRegisters } from '../../projectors/engine/apply.ts';
import { plainProjection } from '../../projectors/engine/projection.ts';
import { Refused } from '../../projectors/engine/rebuild/builds.ts';
import { repair } from '../../projectors/engine/rebuild/repair.ts';
import { openBuild } from '../../projectors/engine/runner.ts';
import { installFirst } from '../../projectors/engine/versions.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { type LetterPlace, letterId, rulingOf, rulingTopic } from '../../schemas/operator/dead-letter.ts';
import { type Played, partitions, type TestEngine } from '../harness/engine.ts';
import { ana, ben, cleo, event, noon, nth } from '../harness/events.ts';
import { waitsForLock } from '../harness/locks.ts';
import { type LoggedEngine, openLoggedEngine } from '../harness/logged.ts';
import { openProjectionKit, type ProjectionKit, type Rows } from '../harness/projection.ts';

const [post, other] = [nth(1), nth(2)];
const liked = (likerId: string, at: number, postId = post) =>
  event('PostLiked', { postId, likerId, authorId: ana }, noon + at);
const unliked = (likerId: string, at: number, postId = post) =>
  event('PostUnliked', { postId, likerId, authorId: ana }, noon + at);
const garbage: Played = { topic: 'like-events', key: cleo, value: Buffer.from('not avro') };

/** As they came: Ana's like is newer than what came after it, and Cleo's key is parked from its second record on. */
const log: Played[] = [liked(ana, 5), unliked(ana, 1), liked(ben, 2), liked(cleo, 3), garbage];
const behind = [unliked(cleo, 9), liked(cleo, 9, other)];

const projection = plainProjection(likes);
let kit: ProjectionKit;
let logged: LoggedEngine;
let engine: TestEngine;
let installed: Installed;
let right: Rows;
beforeAll(async () => {
  kit = await openProjectionKit();
  logged = await openLoggedEngine(kit);
  const rulings = openRulings({ ...logged.engine, topic: rulingTopic, rulingOf });
  engine = { ...logged.engine, rulings };
  installed = await openBuild(kit.pool, likes, (await installFirst(kit.pool, likes))!);
  await logged.project(installed, [...log, ...behind]);
  right = await kit.rows(installed);
});
afterAll(async () => {
  await logged?.close();
  await kit?.close();
});

beforeEach(() => {
  expect(right).toMatchObject({
    post_like: [ana, ben, cleo].map((liker_id) => ({ post_id: post, liker_id, live: true })),
    post_like_count: [{ post_id: post, likes: 3 }],
  });
});

const spoil = (sql: string) => kit.pool.query(sql.replaceAll('$.', `${installed.schema}.`));
const repaired = (scope: Parameters<typeof repair>[2]) =>
  repair({ engine, projections: [projection] }, projection, scope);

it.each([
  ['rows that are gone', 'DELETE FROM $.post_like'],
  ['rows that say something else', 'UPDATE $.post_like SET live = NOT live'],
  [
    'a row that no event explains',
    `INSERT INTO $.post_like SELECT post_id, '${nth(9)}', true, event_time, event_id FROM $.post_like LIMIT 1`,
  ],
  ['a count that is off', 'UPDATE $.post_like_count SET likes = 7'],
  ['a count that is gone', 'DELETE FROM $.post_like_count'],
])(
  '%s are made again by the newest events, whatever lies last in the log, without what is parked',
  async (_, sql) => {
    await spoil(sql);
    await repaired({ id: post });
    expect(await kit.rows(installed)).toEqual(right);
  },
);

it('of one person only their rows are touched', async () => {
  await spoil('UPDATE $.post_like SET live = false');
  await repaired({ id: ben });
  expect(await kit.rows(installed)).toMatchObject({
    post_like: [
      { liker_id: ana, live: false },
      { liker_id: ben, live: true },
      { liker_id: cleo, live: false },
    ],
    post_like_count: [{ likes: 1 }],
  });
  await repaired({ since: 0 });
  expect(await kit.rows(installed)).toEqual(right);
});

/** A repair that meets a round of the model: the log is read by then, and it waits for the round's transaction. */
async function repairedBehind(round: (client: Client) => Promise<void>): Promise<string> {
  const { asked } = await transaction(kit.pool, async (client) => {
    await client.query('SELECT FROM engine.position FOR UPDATE');
    const repairing = repaired({ id: post });
    await waitsForLock(kit.pool, repairing);
    await round(client);
    return { asked: repairing };
  });
  return asked;
}

it('what somebody tries again while the log is read is not taken back: the repair is to be asked for again', async () => {
  const retried = repairedBehind(async (client) => {
    const { rows } = await client.query('SELECT topic, partition, "offset", key, value FROM engine.parked');
    const through = rows.map((row) => ({ ...row, offset: BigInt(row.offset), headers: {} }));
    await writeRegisters(client, installed, behind);
    await settleLetters(client, installed.consumer, { through, failed: [], behind: [] });
  });
  await expect(retried).rejects.toThrow(Refused);
  const rows = await kit.rows(installed);
  expect(rows).toMatchObject({
    post_like: [
      { live: true },
      { live: true },
      { liker_id: cleo, live: false },
      { post_id: other, live: true },
    ],
    post_like_count: [
      { post_id: post, likes: 2 },
      { post_id: other, likes: 1 },
    ],
  });
  await repaired({ id: post });
  expect(await kit.rows(installed)).toEqual(rows);
});

/** Appends it where the model stands, for a round to move over it. */
async function appendNext(one: Event, key: string) {
  const partition = partitionOf(key, partitions);
  const { rows } = await kit.pool.query(
    `SELECT position FROM engine.position WHERE consumer = $1 AND topic = 'like-events' AND partition = $2`,
    [installed.consumer, partition],
  );
  await logged.append([one]);
  return { ...engine.codec.encode(one, null), partition, offset: BigInt(rows[0].position) };
}

const moveOn = (client: Client, { topic, partition }: Pick<LetterPlace, 'topic' | 'partition'>) =>
  client.query(
    'UPDATE engine.position SET position = position + 1 WHERE consumer = $1 AND topic = $2 AND partition = $3',
    [installed.consumer, topic, partition],
  );

it('what is parked while the log is read stays out', async () => {
  const rows = await kit.rows(installed);
  const record = await appendNext(unliked(ana, 30), ana);
  await repairedBehind(async (client) => {
    const why = { code: 'violates_constraint', detail: '' };
    await parkRecords(client, installed.consumer, [parkedAs(record, why)]);
    await moveOn(client, record);
  });
  expect(await kit.rows(installed)).toEqual(rows);
});

it('what is parked and discarded while the log is read stays out', async () => {
  const rows = await kit.rows(installed);
  const { topic, partition, offset } = await appendNext(unliked(ben, 30), ben);
  await repairedBehind(async (client) => {
    const place = { model: likes.name, topic, partition, offset: Number(offset) };
    const ruling = { ...place, letterId: letterId(place), reason: null };
    await logged.append([event('DeadLetterDiscarded', ruling, noon)]);
    await moveOn(client, place);
  });
  expect(await kit.rows(installed)).toEqual(rows);
});
