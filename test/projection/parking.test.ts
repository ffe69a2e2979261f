import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqlState } from '../../platform/postgres/pool.ts';
import { createModelHandler, type Engine } from '../../projectors/engine/runner.ts';
import { media } from '../../projectors/media/media.model.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { batchesOf, claimAll, openTestEngine, type Played } from '../harness/engine.ts';
import { event, noon } from '../harness/events.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
let engine: Engine;
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
