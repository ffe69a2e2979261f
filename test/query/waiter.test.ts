import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parkedAs, parkRecords } from '../../platform/postgres/parked.ts';
import { transaction } from '../../platform/postgres/pool.ts';
import { claimPositions, createAnnouncer, savePositions } from '../../platform/postgres/positions.ts';
import { openServing } from '../../platform/postgres/serving.ts';
import { openWaiter, type Waiter } from '../../platform/postgres/waiter.ts';
import { likes } from '../../projectors/content/like.model.ts';
import { switchTo } from '../../projectors/engine/rebuild/switch.ts';
import { installFirst } from '../../projectors/engine/versions.ts';
import { noon } from '../harness/events.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
beforeAll(async () => {
  kit = await openProjectionKit();
});
afterAll(() => kit?.close());

const topic = 'like-events';

describe('a read that asks for a position', () => {
  let waiter: Waiter;
  let consumer = 'waited.v0';
  beforeEach(async () => {
    consumer = `waited.v${Number(consumer.slice(8)) + 1}`;
    const starts = [0, 1].map((partition) => ({ topic, partition, start: 5n }));
    await claimPositions(kit.pool, consumer, starts);
    waiter = openWaiter(kit.url, kit.pool);
    return () => waiter.close();
  });

  const at = (offset: bigint, partition = 0) => [{ topic, partition, offset }];
  const target = () => [{ consumer, topics: [topic] }];
  const late = { code: 'position_timeout', status: 503 };
  const applied = async (to: bigint): Promise<void> => {
    const step = { topic, partition: 0, generation: 1n, from: 5n, to, eventTime: noon };
    await savePositions(kit.pool, consumer, [step]);
    createAnnouncer(kit.pool).committed(consumer, [step]);
  };

  it('waits until that very record is applied', async () => {
    await waiter.wait(target(), at(4n), 10_000);
    await expect(waiter.wait(target(), at(5n), 300)).rejects.toMatchObject(late);
    const waiting = waiter.wait(target(), at(5n), 10_000);
    await applied(6n);
    await waiting;
    await expect(waiter.wait(target(), at(6n), 300)).rejects.toMatchObject(late);
  });
  it('waits for every position, and for none of a topic that its models do not take', async () => {
    const both = [...at(4n), ...at(5n, 1)];
    await expect(waiter.wait(target(), both, 300)).rejects.toMatchObject(late);
    await waiter.wait([{ consumer, topics: ['post-events'] }], both, 300);
  });
  it('is told at once when that record is parked, for it is passed and not applied, whatever else is behind', async () => {
    await kit.pool.query(
      `INSERT INTO engine.parked (consumer, topic, partition, "offset", key, value, code, detail)
       VALUES ($1, $2, 0, 3, 'k', '', 'undecodable', 'it is')`,
      [consumer, topic],
    );
    await vi.waitFor(
      () =>
        expect(waiter.wait(target(), at(3n), 300)).rejects.toMatchObject({ code: 'key_parked', status: 503 }),
      { timeout: 10_000, interval: 100 },
    );
    await waiter.wait(target(), at(2n), 300);
    const oneBehind = waiter.wait(target(), [...at(3n), ...at(5n, 1)], 300);
    await expect(oneBehind).rejects.toMatchObject({ code: 'key_parked' });
  });
  it('is told so, too, when the record is parked while it waits', async () => {
    const waiting = waiter.wait(target(), at(5n), 10_000);
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'key_parked' });
    const step = { topic, partition: 0, generation: 1n, from: 5n, to: 6n, eventTime: noon };
    const record = { topic, partition: 0, offset: 5n, key: 'k', value: Buffer.from('x'), headers: {} };
    await transaction(kit.pool, async (client) => {
      await savePositions(client, consumer, [step]);
      await parkRecords(client, consumer, [parkedAs(record, { code: 'undecodable', detail: 'it is' })]);
    });
    createAnnouncer(kit.pool).committed(consumer, [step]);
    await outcome;
  });
  it('hears of more partitions than one notification takes', async () => {
    const positions = Array.from({ length: 300 }, (_, partition) => ({
      ...{ topic: 'conversation-events', partition, position: 2n ** 50n, at: noon + 1_000 - partition },
    }));
    await vi.waitFor(
      () => {
        createAnnouncer(kit.pool).fresh(consumer, positions);
        expect(waiter.asOf(consumer)).toBe(noon + 701);
      },
      { timeout: 10_000, interval: 100 },
    );
  });
  it('is as fresh as the partition that is furthest behind', async () => {
    const positions = [
      [0, noon + 9],
      [1, noon + 2],
    ] as const;
    await vi.waitFor(
      () => {
        createAnnouncer(kit.pool).fresh(
          consumer,
          positions.map(([partition, time]) => ({ topic, partition, position: 5n, at: time })),
        );
        expect(waiter.asOf(consumer)).toBe(noon + 2);
      },
      { timeout: 10_000, interval: 100 },
    );
  });
});

it('readers are led to another version at once, and told whose positions to wait for', async () => {
  await installFirst(kit.pool, likes);
  const serving = await openServing(kit.url, kit.pool);
  expect(serving.snapshot().get('likes')).toEqual({ version: 1, schema: 'likes_v1', consumer: 'likes.v1' });
  const { version } = await kit.install(likes);
  await transaction(kit.pool, (client) => switchTo(client, 'likes', version));
  await vi.waitFor(
    () => expect(serving.snapshot().get('likes')).toMatchObject({ schema: 'likes_v2', consumer: 'likes.v2' }),
    { timeout: 10_000, interval: 20 },
  );
  await serving.close();
});
