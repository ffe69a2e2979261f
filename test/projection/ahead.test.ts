import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PartitionBatch } from '../../platform/log/consumer.ts';
import { likes } from '../../projectors/content/like.model.ts';
import { encodeAhead } from '../../projectors/engine/apply.ts';
import { decodeAhead } from '../../projectors/engine/decoding.ts';
import { createModelHandler } from '../../projectors/engine/runner.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { batchesOf, claimAll, openTestEngine, type Played, type TestEngine } from '../harness/engine.ts';
import { ana, ben, cleo, event, noon, nth } from '../harness/events.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
let engine: TestEngine;
beforeAll(async () => {
  kit = await openProjectionKit();
  engine = await openTestEngine(kit);
});
afterAll(() => kit.close());

const liked = (postId: string, likerId: string, at: number): Event =>
  event('PostLiked', { postId, likerId, authorId: cleo }, noon + at);
const garbage = (key: string): Played => ({ topic: 'like-events', key, value: Buffer.from('not avro') });

/** Applies rounds of which each is made ready before the one before it, as while Postgres is at that one. */
async function playReady(rounds: readonly (readonly Played[])[]) {
  const installed = await kit.install(likes);
  await claimAll(kit, installed);
  const handle = createModelHandler(engine, installed);
  const batches = batchesOf(engine, rounds);
  for (const round of batches.toReversed()) await makeReady(round);
  for (const round of batches) await handle(round);
  return kit.rows(installed);

  async function makeReady(round: readonly PartitionBatch[]): Promise<void> {
    await decodeAhead(
      engine.codec,
      round.flatMap(({ records }) => records),
    );
    encodeAhead(engine, installed, round);
  }
}

it('a round that was made ready brings the rows that it would have brought', async () => {
  const rounds = [
    [liked(nth(1), ana, 1), liked(nth(1), ben, 2), liked(nth(2), ana, 3)],
    [event('PostUnliked', { postId: nth(1), likerId: ana, authorId: cleo }, noon + 4)],
    [liked(nth(2), ben, 5), liked(nth(1), ana, 3)],
  ];
  const installed = await kit.install(likes);
  await kit.apply(installed, rounds);
  expect(await playReady(rounds)).toEqual(await kit.rows(installed));
});

it('of a round that was made ready nothing comes through that waits behind a parked record', async () => {
  const rows = await playReady([[garbage(ana)], [liked(nth(2), ben, 2), liked(nth(1), ana, 1)]]);
  expect(rows.post_like).toMatchObject([{ post_id: nth(2) }]);
  expect(rows.post_like_count).toEqual([{ post_id: nth(2), likes: 1 }]);
});

it('what is ruled about a record of it holds, though it was made ready before', async () => {
  const installed = await kit.install(likes);
  await claimAll(kit, installed);
  const [round] = batchesOf(engine, [[liked(nth(1), ana, 1), liked(nth(2), ana, 2)]]);
  const records = round!.flatMap((batch) => batch.records);
  await decodeAhead(engine.codec, records);
  encodeAhead(engine, installed, round!);
  const discarded = records[0]!;
  const rulings = {
    ...engine.rulings,
    of: () => (record: (typeof records)[number]) => (record === discarded ? null : record),
  };
  await createModelHandler({ ...engine, rulings }, installed)(round!);
  expect((await kit.rows(installed)).post_like).toHaveLength(1);
});
