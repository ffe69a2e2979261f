import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { carefulAfter } from '../../platform/log/careful.ts';
import { openIntake, type PartitionBatch } from '../../platform/log/intake.ts';
import type { LogRecord } from '../../platform/log/record.ts';
import { claimPositions, savePositions } from '../../platform/postgres/positions.ts';
import { readSuspects } from '../../platform/postgres/suspects.ts';
import { openGate } from '../../platform/process/gate.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
beforeAll(async () => {
  kit = await openProjectionKit();
});
afterAll(() => kit?.close());

const topic = 'like-events';
const log = createLogger('test', 'silent');

interface Life {
  applied: number[];
  died: boolean;
}

/** One process that reads the partition until its end, or until a record of `killers` ends it in the middle. */
async function live(consumer: string, records: number, killers: readonly number[]): Promise<Life> {
  const { pool } = kit;
  const [claimed] = await claimPositions(pool, consumer, [{ topic, partition: 0, start: 0n }]);
  const suspect = (await readSuspects(pool, consumer)).find((one) => one.topic === topic);
  const careful = claimed!.released ? null : carefulAfter(claimed!, suspect);
  const life: Life = { applied: [], died: false };
  const handle = async ([batch]: readonly PartitionBatch[]): Promise<void> => {
    const { generation, firstOffset: from, nextOffset: to } = batch!;
    const offsets = batch!.records.map(({ offset }) => Number(offset));
    if (offsets.some((offset) => killers.includes(offset))) {
      life.died = true;
      await new Promise(() => {});
    }
    await savePositions(pool, consumer, [{ topic, partition: 0, generation, from, to, eventTime: 0 }]);
    life.applied.push(...offsets);
  };
  const intake = openIntake({ consumer, pool, log, gate: openGate(), closed: () => false, handle });
  const position = { ...claimed!, fetched: claimed!.position, careful };
  const rest = recordsFrom(Number(claimed!.position), records);
  let done = rest.length === 0;
  if (!done) intake.take(position, rest).applied.then(() => (done = true));
  await vi.waitFor(() => expect(done || life.died).toBe(true), { timeout: 30_000, interval: 5 });
  return life;
}

const recordsFrom = (from: number, to: number): LogRecord[] =>
  Array.from({ length: to - from }, (_, i) => ({
    ...{ topic, partition: 0, offset: BigInt(from + i), key: 'k' },
    ...{ value: Buffer.from('sealed'), headers: {} },
  }));

it.each([
  ['the first of all', [0]],
  ['one in the middle', [700]],
  ['the last', [999]],
  ['two in a row', [100, 101]],
])(
  'in a thousand records %s: what kills its process is found in a few deaths, and parked alone',
  async (_, killers) => {
    const consumer = `killed.${killers.join('.')}`;
    const lives: Life[] = [];
    do lives.push(await live(consumer, 1_000, killers));
    while (lives.at(-1)!.died && lives.length < 20);
    expect(lives.at(-1)!.died).toBe(false);
    // The round as ever, then a thousand, 63, 4 and twice one.
    expect(lives.length).toBeLessThanOrEqual(1 + 6 * killers.length);
    const applied = lives.flatMap((life) => life.applied);
    expect(applied).toEqual(
      recordsFrom(0, 1_000)
        .map(({ offset }) => Number(offset))
        .filter((n) => !killers.includes(n)),
    );
    const { rows } = await kit.pool.query(
      'SELECT "offset", code FROM engine.parked WHERE consumer = $1 ORDER BY "offset"',
      [consumer],
    );
    expect(rows).toEqual(killers.map((offset) => ({ offset, code: 'kills_process' })));
  },
);

it('a process that dies of something else is suspected once, and parks nothing', async () => {
  const consumer = 'killed.by-hand';
  expect(await live(consumer, 1_000, [500])).toMatchObject({ died: true });
  expect(await live(consumer, 1_000, [])).toMatchObject({ died: false });
  const { rows } = await kit.pool.query('SELECT FROM engine.parked WHERE consumer = $1', [consumer]);
  expect(rows).toEqual([]);
});

it('what lies behind the position has been survived: whoever dies next, it was not that', () => {
  const place = { topic, partition: 0 };
  const claimed = { ...place, position: 9n, generation: 2n, released: false };
  const suspect = { ...place, first: 5n, end: 6n, records: 1, deaths: 1 };
  expect(carefulAfter(claimed, suspect)).toEqual(carefulAfter(claimed, undefined));
  expect(carefulAfter({ ...claimed, position: 5n }, suspect)).toEqual({ step: 1, until: 6n, deaths: 1 });
});
