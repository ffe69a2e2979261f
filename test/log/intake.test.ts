import { expect, it, vi } from 'vitest';
import {
  type HeldPartition,
  type IntakeOptions,
  openIntake,
  type PartitionBatch,
} from '../../platform/log/intake.ts';
import type { LogRecord } from '../../platform/log/record.ts';
import { Fenced } from '../../platform/postgres/positions.ts';
import { openGate } from '../../platform/process/gate.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';

const record = (partition: number, offset: number): LogRecord => ({
  ...{ topic: 'like-events', partition, offset: BigInt(offset), key: 'k' },
  ...{ value: Buffer.alloc(0), headers: {} },
});
const records = (partition: number, from: number, to: number): LogRecord[] =>
  Array.from({ length: to - from }, (_, i) => record(partition, from + i));
const held = (partition: number, position: bigint): HeldPartition => ({
  ...{
    topic: 'like-events',
    partition,
    position,
    fetched: position,
    generation: 1n,
    released: true,
    careful: null,
  },
});

/** A consumer's intake whose rounds are handled as told; it reads no suspects, so it needs no database. */
function intakeOf(
  handle: (batches: readonly PartitionBatch[]) => Promise<void>,
  maxRecords?: number,
  ready?: NonNullable<IntakeOptions['ready']>,
) {
  const troubles: (string | null)[] = [];
  const intake = openIntake({
    ...{ consumer: 'likes.v1', pool: undefined as never, log: createLogger('test', 'silent') },
    ...{ gate: openGate(), closed: () => false, handle, maxRecords, ...(ready && { ready }) },
    troubled: (error) => troubles.push(error?.message ?? null),
  });
  return { intake, troubles };
}

it('what all partitions have brought is one round, each from where it stands', async () => {
  const rounds: (readonly PartitionBatch[])[] = [];
  const { intake } = intakeOf(async (batches) => void rounds.push(batches));
  const [first, second] = [held(0, 5n), held(1, 0n)];
  await Promise.all([
    intake.take(first, records(0, 5, 8)).applied,
    intake.take(second, records(1, 0, 2)).applied,
  ]);
  expect(rounds).toMatchObject([
    [
      { partition: 0, firstOffset: 5n, nextOffset: 8n, generation: 1n },
      { partition: 1, firstOffset: 0n, nextOffset: 2n },
    ],
  ]);
  expect([first.position, second.position]).toEqual([8n, 2n]);
});

it('a round is bounded, and what does not fit comes in the next ones, before the fetch is called applied', async () => {
  const sizes: number[] = [];
  const seen: bigint[] = [];
  const { intake } = intakeOf(async (batches) => {
    const taken = batches.flatMap((batch) => batch.records);
    sizes.push(taken.length);
    seen.push(...taken.filter(({ partition }) => partition === 0).map(({ offset }) => offset));
  }, 4);
  await Promise.all([
    intake.take(held(0, 0n), records(0, 0, 10)).applied,
    intake.take(held(1, 0n), records(1, 0, 3)).applied,
  ]);
  expect(Math.max(...sizes)).toBe(4);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(13);
  expect(seen).toEqual(records(0, 0, 10).map(({ offset }) => offset));
});

it('a full round is told of while the one before is applied, and is the next one, offset for offset', async () => {
  const told: (readonly PartitionBatch[])[] = [];
  const rounds: (readonly PartitionBatch[])[] = [];
  const handle = async (batches: readonly PartitionBatch[]): Promise<void> => {
    rounds.push(batches);
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const { intake } = intakeOf(handle, 4, (batches) => void told.push(batches));
  const [first, second] = [held(0, 7n), held(1, 0n)];
  const taken = [intake.take(first, records(0, 10, 19)), intake.take(second, records(1, 0, 3))];
  await new Promise((resolve) => setTimeout(resolve, 2));
  taken.push(intake.take(first, records(0, 19, 20)));
  await Promise.all(taken.map(({ applied }) => applied));
  expect(rounds.slice(1, 1 + told.length)).toEqual(told);
  expect(told.length).toBeGreaterThan(0);
  const own = rounds.flat().filter(({ partition }) => partition === 0);
  expect(own.map(({ firstOffset }) => firstOffset)).toEqual([
    7n,
    ...own.slice(0, -1).map(({ nextOffset }) => nextOffset),
  ]);
  const offsets = own.flatMap((batch) => batch.records.map(({ offset }) => offset));
  expect(offsets).toEqual(records(0, 10, 20).map(({ offset }) => offset));
  expect([first.position, second.position]).toEqual([20n, 3n]);
});

it('a fetch of which some records wait in the next round is applied when these are', async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let round = 0;
  const { intake } = intakeOf(
    () => gates[round++]!.promise,
    2,
    () => {},
  );
  let over = false;
  const { applied } = intake.take(held(0, 0n), records(0, 0, 4));
  const waits = applied.then(() => {
    over = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 2));
  gates[0]!.resolve();
  await new Promise((resolve) => setTimeout(resolve, 2));
  expect([round, over]).toEqual([2, false]);
  gates[1]!.resolve();
  await waits;
});

it('the next round of a lost partition is forgotten with it', async () => {
  const rounds: (readonly PartitionBatch[])[] = [];
  const told: (readonly PartitionBatch[])[] = [];
  const handle = async (batches: readonly PartitionBatch[]): Promise<void> => {
    rounds.push(batches);
    if (rounds.length === 1) throw new Fenced('another process holds it');
  };
  const { intake } = intakeOf(handle, 2, (batches) => void told.push(batches));
  await expect(intake.take(held(0, 0n), records(0, 0, 6)).applied).rejects.toThrow(Fenced);
  expect(told).toHaveLength(1);
  await intake.take(held(1, 0n), records(1, 0, 1)).applied;
  expect(rounds.slice(1)).toMatchObject([[{ partition: 1, firstOffset: 0n, nextOffset: 1n }]]);
});

it('an outage is retried with the same round until it is over, and told meanwhile', async () => {
  let outages = 2;
  const rounds: (readonly PartitionBatch[])[] = [];
  const { intake, troubles } = intakeOf(async (batches) => {
    rounds.push(batches);
    if (outages-- > 0) throw new Error('connection refused');
  });
  await intake.take(held(0, 0n), records(0, 0, 2)).applied;
  expect(rounds).toHaveLength(3);
  expect(new Set(rounds.map(([batch]) => batch!.nextOffset))).toEqual(new Set([2n]));
  expect(troubles).toEqual(['connection refused', 'connection refused', null]);
});

it('a round that was fenced is not tried again: the partition is somebody else’s', async () => {
  let tries = 0;
  const { intake } = intakeOf(async () => {
    tries += 1;
    throw new Fenced('lost');
  });
  const position = held(0, 0n);
  await expect(intake.take(position, records(0, 0, 2)).applied).rejects.toBeInstanceOf(Fenced);
  expect([tries, position.position]).toEqual([1, 0n]);
});

/** Rounds that end when told. */
function heldBack() {
  const rounds: (readonly PartitionBatch[])[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const handle = (batches: readonly PartitionBatch[]): Promise<void> => {
    rounds.push(batches);
    ends.push(Promise.withResolvers());
    return ends.at(-1)!.promise;
  };
  return { rounds, ends, handle };
}

it('while a round is applied more is read, but no more than another round', async () => {
  const { rounds, ends, handle } = heldBack();
  const { intake } = intakeOf(handle, 4);
  const position = held(0, 0n);
  const first = intake.take(position, records(0, 0, 4));
  await first.room;
  expect(position.position).toBe(0n);
  const second = intake.take(position, records(0, 4, 10));
  let roomy = false;
  second.room.then(() => {
    roomy = true;
  });
  await vi.waitFor(() => expect(rounds).toHaveLength(1));
  expect(roomy).toBe(false);
  ends[0]!.resolve();
  await second.room;
  await vi.waitFor(() => expect(rounds).toHaveLength(2));
  expect(rounds.at(-1)).toMatchObject([{ firstOffset: 4n, nextOffset: 8n }]);
  ends[1]!.resolve();
  await vi.waitFor(() => expect(rounds).toHaveLength(3));
  ends[2]!.resolve();
  await second.applied;
  expect(position.position).toBe(10n);
});

it('two fetches of one partition are never in one round: the later begins where the earlier ended', async () => {
  const { rounds, ends, handle } = heldBack();
  const { intake } = intakeOf(handle);
  const [position, other] = [held(0, 0n), held(1, 0n)];
  const all = [intake.take(position, records(0, 0, 1))];
  await all[0]!.room;
  all.push(intake.take(position, records(0, 1, 2)), intake.take(position, records(0, 2, 3)));
  all.push(intake.take(other, records(1, 0, 1)));
  for (const n of [0, 1, 2]) {
    await vi.waitFor(() => expect(ends).toHaveLength(n + 1));
    ends[n]!.resolve();
  }
  await Promise.all(all.map(({ applied }) => applied));
  const stretches = rounds.map((round) =>
    round.map((b) => `${b.partition}: ${b.firstOffset}-${b.nextOffset}`),
  );
  expect(stretches).toEqual([['0: 0-1'], ['0: 1-2', '1: 0-1'], ['0: 2-3']]);
});

it('what waits behind a fenced round is not applied either, and is not called read', async () => {
  const { ends, handle } = heldBack();
  const { intake } = intakeOf(handle, 2);
  const position = held(0, 0n);
  const [first, second] = [intake.take(position, records(0, 0, 2)), intake.take(position, records(0, 2, 8))];
  await vi.waitFor(() => expect(ends).toHaveLength(1));
  ends[0]!.reject(new Fenced('lost'));
  await expect(first.applied).rejects.toBeInstanceOf(Fenced);
  await expect(second.room).rejects.toBeInstanceOf(Fenced);
  await expect(second.applied).rejects.toBeInstanceOf(Fenced);
  expect(position.position).toBe(0n);
});
