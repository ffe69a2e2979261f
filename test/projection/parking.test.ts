import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PartitionBatch } from '../../platform/log/consumer.ts';
import { noRulings, type Rulings } from '../../platform/log/rulings.ts';
import { partitionsToRetry, readLetters } from '../../platform/postgres/parked.ts';
import { sqlState } from '../../platform/postgres/pool.ts';
import { accounts } from '../../projectors/account/user.model.ts';
import type { Installed } from '../../projectors/engine/apply.ts';
import { createModelHandler } from '../../projectors/engine/runner.ts';
import { graph } from '../../projectors/graph/follow.model.ts';
import { media } from '../../projectors/media/media.model.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { batchesOf, claimAll, openTestEngine, type Played, type TestEngine } from '../harness/engine.ts';
import { event, noon } from '../harness/events.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
let engine: TestEngine;
beforeAll(async () => {
  kit = await openProjectionKit();
  engine = await openTestEngine(kit);
});
afterAll(() => kit.close());

const ana = v7();
const ben = v7();
const uploaded = (ownerId: string, at: number): Event =>
  event('MediaUploaded', { mediaId: v7(), ownerId, objectKey: 'o/x' }, noon + at);
const garbage = (key: string): Played => ({ topic: 'media-events', key, value: Buffer.from('not avro') });
/** No row takes it: the id is not a UUID. */
const poison = (ownerId: string, at: number): Event =>
  event('MediaUploaded', { mediaId: 'no uuid', ownerId, objectKey: 'o/x' }, noon + at);

const silent = { bio: '', website: null, gender: null, avatarMediaId: null, privateSince: null };

async function play(rounds: readonly (readonly Played[])[]) {
  const installed = await kit.install(media);
  await claimAll(kit, installed);
  const handle = createModelHandler(engine, installed);
  for (const batches of batchesOf(engine, rounds)) await handle(batches);
  const rows = await kit.pool.query(`SELECT owner_id FROM ${installed.schema}.media`);
  const parked = await kit.pool.query(
    'SELECT key, code, detail FROM engine.parked WHERE consumer = $1 ORDER BY topic, partition, "offset"',
    [installed.consumer],
  );
  const positions = await kit.pool.query(
    'SELECT sum(position)::int AS sum FROM engine.position WHERE consumer = $1',
    [installed.consumer],
  );
  return {
    owners: rows.rows.map((row) => row.owner_id),
    parked: parked.rows,
    position: positions.rows[0].sum,
  };
}

test('a record that does not decode parks its key: what came before stays, what follows waits, others go on', async () => {
  const { owners, parked, position } = await play([
    [uploaded(ana, 1), garbage(ana), uploaded(ben, 2)],
    [uploaded(ana, 3), uploaded(ben, 4)],
  ]);
  expect(owners.toSorted()).toEqual([ana, ben, ben].toSorted());
  expect(parked).toMatchObject([
    { key: ana, code: 'undecodable' },
    { key: ana, code: 'behind_parked_key' },
  ]);
  expect(position).toBe(5);
});

test('what follows a record of its key in the very same round waits behind it, and so does what comes later', async () => {
  const { owners, parked, position } = await play([
    [uploaded(ana, 1), garbage(ana), uploaded(ana, 2), uploaded(ben, 3)],
    [uploaded(ana, 4)],
  ]);
  expect(owners.toSorted()).toEqual([ana, ben].toSorted());
  expect(parked).toMatchObject([
    { key: ana, code: 'undecodable' },
    { key: ana, code: 'behind_parked_key' },
    { key: ana, code: 'behind_parked_key' },
  ]);
  expect(position).toBe(5);
});

test('an erasure waits behind nothing: what is parked would go on to be shown', async () => {
  const installed = await kit.install(accounts);
  await claimAll(kit, installed);
  const edited = event('ProfileEdited', { userId: ana, fullName: 'Ana', ...silent }, noon);
  await kit.apply(installed, [[edited]]);
  const broken = { topic: 'user-events', key: ana, value: Buffer.from('not avro') };
  const handle = createModelHandler(engine, installed);
  const rounds = [[broken], [event('UserErased', { userId: ana }, noon + 2)]];
  for (const batches of batchesOf(engine, rounds)) await handle(batches);
  expect(await kit.rows(installed)).toMatchObject({
    erased_person: [{ user_id: ana }],
    profile: [{ user_id: ana, full_name: null, live: false }],
  });
});

test('a record that no table takes is found among many and parked alone with its key', async () => {
  const { owners, parked, position } = await play([
    [
      ...Array.from({ length: 30 }, (_, i) => uploaded(ben, i)),
      poison(ana, 40),
      uploaded(ana, 41),
      uploaded(ben, 42),
    ],
  ]);
  expect(owners).toEqual(Array(31).fill(ben));
  expect(parked).toMatchObject([
    { key: ana, code: 'violates_constraint' },
    { key: ana, code: 'behind_parked_key' },
  ]);
  // Not the value itself: it might be personal.
  expect(parked[0].detail).not.toContain('no uuid');
  expect(position).toBe(33);
});

test('a key that no text column takes is parked all the same', async () => {
  const { parked, position } = await play([[garbage(`${ana}\0`), uploaded(ben, 1)], [garbage(`${ana}\0`)]]);
  expect(parked).toMatchObject([{ key: ana, code: 'undecodable' }, { key: ana }]);
  expect(position).toBe(3);
});

test('a key that is longer than an index takes is parked all the same', async () => {
  const key = randomBytes(3_000).toString('base64');
  const { parked, position } = await play([[garbage(key), uploaded(ben, 1)], [garbage(key)]]);
  expect(parked).toMatchObject([{ code: 'undecodable' }, { code: 'undecodable' }]);
  expect(position).toBe(3);
});

test('a record whose schema the registry does not have is parked: nobody can ever read it', async () => {
  const value = Buffer.from([0, 0x7f, 0xff, 0xff, 0xfe, 1, 2, 3]);
  const { owners, parked } = await play([[{ topic: 'media-events', key: ana, value }, uploaded(ben, 1)]]);
  expect(owners).toEqual([ben]);
  expect(parked).toMatchObject([{ key: ana, code: 'undecodable' }]);
});

test('a time that no date can say is parked: every read of its row would fail', async () => {
  const { owners, parked } = await play([[uploaded(ana, 8.9e15), uploaded(ben, 1)]]);
  expect(owners).toEqual([ben]);
  expect(parked).toMatchObject([{ key: ana, code: 'undecodable' }]);
});

test('a text that no index takes parks its record, not the model', async () => {
  const installed = await kit.install(media);
  await claimAll(kit, installed);
  await kit.pool.query(`CREATE INDEX ON ${installed.schema}.media (reason)`);
  const code = randomBytes(3_000).toString('base64');
  const rejected = event('MediaRejected', { mediaId: v7(), ownerId: ana, code }, noon);
  const [batches] = batchesOf(engine, [[uploaded(ben, 1), rejected, uploaded(ben, 2)]]);
  await createModelHandler(engine, installed)(batches!);
  expect(await lettersOf(installed)).toMatchObject([{ key: ana, code: 'violates_constraint' }]);
});

test('a record of which the model can make nothing parks, and tells where, but not what it says', async () => {
  const installed = await kit.install(graph);
  await claimAll(kit, installed);
  const followed = (followerId: string, followedAt: number): Event =>
    event('UserFollowed', { followerId, followeeId: v7(), followedAt }, noon);
  const [batches] = batchesOf(engine, [[followed(ben, noon), followed(ana, 9e15)]]);
  await createModelHandler(engine, installed)(batches!);
  expect(await lettersOf(installed)).toMatchObject([
    {
      key: ana,
      code: 'unexpected',
      detail: expect.stringMatching(/UserFollowed: RangeError at model\.ts:\d+$/),
    },
  ]);
  expect((await kit.rows(installed)).follow).toMatchObject([{ follower_id: ben }]);
});

test('one row under two spellings of its id is one row, and nothing is parked', async () => {
  const [mediaId, objectKey] = [v7(), 'o/x'];
  const spelt = (id: string, at: number): Event =>
    event('MediaUploaded', { mediaId: id, ownerId: ana, objectKey }, noon + at);
  const { owners, parked } = await play([
    [spelt(mediaId.toUpperCase(), 1), spelt(mediaId, 2), uploaded(ben, 3)],
  ]);
  expect(owners.toSorted()).toEqual([ana, ben].toSorted());
  expect(parked).toEqual([]);
});

test('an outage parks nothing: the round fails whole and is taken again', async () => {
  const installed = await kit.install(media);
  await claimAll(kit, installed);
  const handle = createModelHandler(engine, installed);
  const [batches] = batchesOf(engine, [[uploaded(ana, 1)]]);
  await kit.pool.query(`ALTER TABLE ${installed.schema}.media RENAME TO away`);
  const failure = await handle(batches!).catch((error) => error);
  expect(sqlState(failure)).toBe('42P01');
  await kit.pool.query(`ALTER TABLE ${installed.schema}.away RENAME TO media`);
  await handle(batches!);
  const { rows } = await kit.pool.query('SELECT FROM engine.parked WHERE consumer = $1', [
    installed.consumer,
  ]);
  expect(rows).toEqual([]);
  await expect(handle(batches!)).rejects.toMatchObject({ name: 'Fenced' });
});

/** As letters.ts does it: every parked record whose key is to be tried again, a few at a time, until none is left. */
async function retryAll(
  installed: Installed,
  handle: (batches: PartitionBatch[]) => Promise<void>,
  atOnce = 200,
): Promise<void> {
  const { consumer } = installed;
  await kit.pool.query('UPDATE engine.parked SET retry = true WHERE consumer = $1', [consumer]);
  for (;;) {
    const [place] = await partitionsToRetry(kit.pool, consumer);
    if (!place) return;
    const { rows } = await kit.pool.query(
      'SELECT position FROM engine.position WHERE consumer = $1 AND topic = $2 AND partition = $3',
      [consumer, place.topic, place.partition],
    );
    const at = BigInt(rows[0].position);
    const records = await readLetters(kit.pool, consumer, place, atOnce);
    const batch = { ...place, generation: 1n, firstOffset: at, nextOffset: at, records };
    await handle([{ ...batch, unparking: true }]);
  }
}

interface Letter {
  key: string;
  code: string;
  detail: string;
  attempts: number;
  retry: boolean;
}

async function lettersOf({ consumer }: Installed): Promise<Letter[]> {
  const { rows } = await kit.pool.query(
    'SELECT key, code, detail, attempts, retry FROM engine.parked WHERE consumer = $1 ORDER BY topic, partition, "offset"',
    [consumer],
  );
  return rows;
}

/** A table that takes nothing of Ana's, as if its definition were wrong; gives what mends it. */
async function refuseAna({ schema }: Installed): Promise<() => Promise<unknown>> {
  await kit.pool.query(`ALTER TABLE ${schema}.media ADD CONSTRAINT not_ana CHECK (owner_id <> '${ana}')`);
  return () => kit.pool.query(`ALTER TABLE ${schema}.media DROP CONSTRAINT not_ana`);
}

describe('trying again', () => {
  test.each([1, 3, 200])(
    'what was mended is applied in full, %i at a time, and is parked no more',
    async (atOnce) => {
      const events = [
        uploaded(ana, 1),
        uploaded(ben, 2),
        uploaded(ana, 3),
        uploaded(ana, 4),
        uploaded(ana, 5),
      ];
      const installed = await kit.install(media);
      await claimAll(kit, installed);
      const handle = createModelHandler(engine, installed);
      const mend = await refuseAna(installed);
      for (const batches of batchesOf(
        engine,
        events.map((one) => [one]),
      ))
        await handle(batches);
      expect((await lettersOf(installed)).map(({ code }) => code)).toEqual([
        'violates_constraint',
        ...Array(3).fill('behind_parked_key'),
      ]);
      await mend();
      await retryAll(installed, handle, atOnce);
      expect(await lettersOf(installed)).toEqual([]);
      const whole = await kit.install(media);
      await kit.apply(whole, [events]);
      expect(await kit.rows(installed)).toEqual(await kit.rows(whole));
    },
  );

  test('what still fails stays with those behind it; what was before it and other keys come through', async () => {
    const installed = await kit.install(media);
    await claimAll(kit, installed);
    const handle = createModelHandler(engine, installed);
    const mend = await refuseAna(installed);
    const rounds = [[uploaded(ana, 1), uploaded(ana, 2), poison(ana, 3), uploaded(ana, 4), garbage(ben)]];
    for (const batches of batchesOf(engine, rounds)) await handle(batches);
    await mend();
    await retryAll(installed, handle);
    const waiting = await lettersOf(installed);
    expect(waiting.filter(({ key }) => key === ana)).toMatchObject([
      { key: ana, code: 'violates_constraint', attempts: 1, retry: false },
      { key: ana, code: 'behind_parked_key', attempts: 0, retry: false },
    ]);
    expect(waiting.filter(({ key }) => key === ben)).toMatchObject([{ code: 'undecodable', attempts: 1 }]);
    await retryAll(installed, handle);
    expect((await lettersOf(installed)).map(({ attempts }) => attempts).toSorted()).toEqual([0, 2, 2]);
    const rows = await kit.pool.query(`SELECT owner_id FROM ${installed.schema}.media`);
    expect(rows.rows.map((row) => row.owner_id)).toEqual([ana, ana]);
  });

  test('a stale process takes nothing out and writes nothing', async () => {
    const installed = await kit.install(media);
    await claimAll(kit, installed);
    const handle = createModelHandler(engine, installed);
    const mend = await refuseAna(installed);
    for (const batches of batchesOf(engine, [[uploaded(ana, 1)]])) await handle(batches);
    await mend();
    await claimAll(kit, installed);
    await expect(retryAll(installed, handle)).rejects.toMatchObject({ name: 'Fenced' });
    expect(await lettersOf(installed)).toMatchObject([{ key: ana, retry: true }]);
    expect((await kit.pool.query(`SELECT FROM ${installed.schema}.media`)).rows).toEqual([]);
  });

  test('what an operator has edited or discarded takes the place of what is in the log', async () => {
    const installed = await kit.install(media);
    await claimAll(kit, installed);
    const edited = uploaded(ana, 1);
    const rulings: Rulings = {
      ...noRulings,
      of: () => (record) =>
        record.key === ben ? null : { ...record, value: engine.codec.encode(edited, null).value },
    };
    const handle = createModelHandler({ ...engine, rulings }, installed);
    const plain = createModelHandler(engine, installed);
    for (const batches of batchesOf(engine, [[poison(ana, 1), garbage(ben), uploaded(ben, 2)]]))
      await plain(batches);
    await retryAll(installed, handle);
    expect(await lettersOf(installed)).toEqual([]);
    const { rows } = await kit.pool.query(`SELECT owner_id FROM ${installed.schema}.media`);
    expect(rows).toEqual([{ owner_id: ana }]);
  });
});
