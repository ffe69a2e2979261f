import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { transaction } from '../../platform/postgres/pool.ts';
import {
  type ClaimedPosition,
  claimPositions,
  holdPositions,
  type PositionStep,
  releasePositions,
  savePositions,
} from '../../platform/postgres/positions.ts';
import { likes } from '../../projectors/content/like.model.ts';
import { createModelHandler } from '../../projectors/engine/runner.ts';
import { batchesOf, claimAll, openTestEngine, type TestEngine } from '../harness/engine.ts';
import { ana, ben, event, noon, nth } from '../harness/events.ts';
import { waitsForLock } from '../harness/locks.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
let engine: TestEngine;
beforeAll(async () => {
  kit = await openProjectionKit();
  engine = await openTestEngine(kit);
});
afterAll(() => kit.close());

const topic = 'like-events';
let consumer = 'fenced.0';
let mine: ClaimedPosition[];
beforeEach(async () => {
  consumer = `fenced.${Number(consumer.split('.')[1]) + 1}`;
  mine = await claimPositions(
    kit.pool,
    consumer,
    [0, 1].map((partition) => ({ topic, partition, start: 5n })),
  );
});

const stepOf = ({ partition, position, generation }: ClaimedPosition, to = 8n): PositionStep => ({
  ...{ topic, partition, generation, from: position, to, eventTime: noon },
});
const claim = (partition: number, start = 0n) =>
  claimPositions(kit.pool, consumer, [{ topic, partition, start }]);

async function positions(): Promise<number[]> {
  const { rows } = await kit.pool.query(
    'SELECT position FROM engine.position WHERE consumer = $1 ORDER BY partition',
    [consumer],
  );
  return rows.map((row) => row.position);
}

const ways = { saving: savePositions, holding: holdPositions };

describe.each(Object.entries(ways))('%s a position', (_, fence) => {
  it('is refused once another process has claimed the partition, though it still stands there', async () => {
    await claim(0);
    await expect(fence(kit.pool, consumer, [stepOf(mine[0]!)])).rejects.toMatchObject({ name: 'Fenced' });
    expect(await positions()).toEqual([5, 5]);
  });

  it('is refused from anywhere but where it stands', async () => {
    const step = stepOf(mine[0]!);
    await savePositions(kit.pool, consumer, [step]);
    for (const from of [5n, 7n, 9n])
      await expect(fence(kit.pool, consumer, [{ ...step, from }])).rejects.toMatchObject({ name: 'Fenced' });
    expect(await positions()).toEqual([8, 5]);
  });

  it('is refused whole when one of its partitions is lost', async () => {
    await claim(1);
    const saved = transaction(kit.pool, (client) =>
      fence(
        client,
        consumer,
        mine.map((p) => stepOf(p)),
      ),
    );
    await expect(saved).rejects.toMatchObject({ name: 'Fenced' });
    expect(await positions()).toEqual([5, 5]);
  });

  it('makes whoever claims the partition wait for the commit', async () => {
    let claimed: Promise<ClaimedPosition[]> | undefined;
    await transaction(kit.pool, async (client) => {
      await fence(client, consumer, [stepOf(mine[0]!)]);
      claimed = claim(0);
      await waitsForLock(kit.pool, claimed);
    });
    const stands = fence === savePositions ? 8n : 5n;
    expect(await claimed).toMatchObject([{ position: stands, generation: 2n }]);
  });
});

describe('a claim', () => {
  it('goes on where the partition stands, whatever it would begin with, under the next generation', async () => {
    await savePositions(kit.pool, consumer, [stepOf(mine[0]!)]);
    expect(await claim(0, 99n)).toMatchObject([{ position: 8n, generation: 2n }]);
    expect(await claim(2, 99n)).toMatchObject([{ position: 99n, generation: 1n }]);
  });

  it('tells whether the last holder gave the partition back', async () => {
    expect(mine).toMatchObject([{ released: true }, { released: true }]);
    await releasePositions(kit.pool, consumer, mine);
    const again = await claim(0);
    expect(again).toMatchObject([{ released: true }]);
    // And that one died.
    expect(await claim(0)).toMatchObject([{ released: false }]);
    // Who is fenced gives nothing back.
    await releasePositions(kit.pool, consumer, again);
    expect(await claim(0)).toMatchObject([{ released: false }]);
  });
});

it('a stale process of a model writes no row, also when only one of its partitions is lost', async () => {
  const installed = await kit.install(likes);
  await claimAll(kit, installed);
  const handle = createModelHandler(engine, installed);
  const [batches] = batchesOf(engine, [
    [ana, ben].map((likerId) => event('PostLiked', { postId: nth(1), likerId, authorId: ana }, noon)),
  ]);
  expect(batches).toHaveLength(2);
  const { partition } = batches![1]!;
  await claimPositions(kit.pool, installed.consumer, [{ topic, partition, start: 0n }]);
  await expect(handle(batches!)).rejects.toMatchObject({ name: 'Fenced' });
  expect(await kit.rows(installed)).toEqual({ post_like: [], post_like_count: [], erased_person: [] });
});
