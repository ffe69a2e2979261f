import { expect, it, vi } from 'vitest';
import { openGathering } from '../../platform/process/gathering.ts';

/** A load whose answers come when they are let through. */
function slow(limits?: Parameters<typeof openGathering>[1]) {
  const loads: { keys: string[]; answer(): void; fail(): void }[] = [];
  const gather = openGathering<string>(
    (keys) =>
      new Promise((resolve, reject) => {
        loads.push({
          keys,
          answer: () => resolve(new Map(keys.filter((key) => key !== 'none').map((key) => [key, `${key}!`]))),
          fail: () => reject(new Error('away')),
        });
      }),
    limits,
  );
  return { loads, gather };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('asks once for what is wanted in one turn, and each finds their own', async () => {
  const { loads, gather } = slow();
  const both = Promise.all([gather(['a', 'b']), gather(['b', 'none'])]);
  await turn();
  expect(loads.map(({ keys }) => keys)).toEqual([['a', 'b', 'none']]);
  loads[0]!.answer();
  const [first, second] = await both;
  expect([first!.get('a'), second!.get('b'), second!.get('none')]).toEqual(['a!', 'b!', undefined]);
});

it('gathers while two queries are under way, and asks for that as soon as one of them is back', async () => {
  const { loads, gather } = slow();
  const asked: Promise<unknown>[] = [];
  for (const key of ['a', 'b', 'c', 'd']) {
    asked.push(gather([key]));
    await turn();
  }
  expect(loads.map(({ keys }) => keys)).toEqual([['a'], ['b']]);
  loads[0]!.answer();
  await vi.waitFor(() => expect(loads.map(({ keys }) => keys)).toEqual([['a'], ['b'], ['c', 'd']]));
  for (const { answer } of loads) answer();
  await Promise.all(asked);
});

it('never answers from a query that had begun before the question', async () => {
  const { loads, gather } = slow();
  const before = gather(['a']);
  await turn();
  const after = gather(['a']);
  await turn();
  expect(loads).toHaveLength(2);
  for (const { answer } of loads) answer();
  await Promise.all([before, after]);
});

it('a query that fails is told to whoever waited for it, and to nobody else', async () => {
  const { loads, gather } = slow();
  const lost = gather(['a']);
  await turn();
  const found = gather(['b']);
  await turn();
  loads[0]!.fail();
  loads[1]!.answer();
  await expect(lost).rejects.toThrow('away');
  expect((await found).get('b')).toBe('b!');
});

it('more keys than a query takes are several queries', async () => {
  const { loads, gather } = slow();
  const keys = Array.from({ length: 2_500 }, (_, n) => `k${n}`);
  const asked = gather(keys);
  await turn();
  expect(loads.map((load) => load.keys.length)).toEqual([2_000, 500]);
  for (const { answer } of loads) answer();
  expect((await asked).size).toBe(2_500);
});

it('what several ask one after the other is one query a while, and what one asks is none later than asked', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
  try {
    const { loads, gather } = slow();
    const asked: Promise<unknown>[] = [];
    const ask = async (...keys: string[]): Promise<void> => {
      for (const key of keys) asked.push(gather([key]));
      await turn();
      for (const { answer } of loads) answer();
      await turn();
    };
    await ask('a');
    await ask('b');
    expect(loads.map(({ keys }) => keys)).toEqual([['a'], ['b']]);
    await ask('c', 'd');
    await ask('e');
    await ask('f');
    expect(loads.map(({ keys }) => keys)).toEqual([['a'], ['b'], ['c', 'd']]);
    vi.advanceTimersByTime(8);
    expect(loads.map(({ keys }) => keys)).toEqual([['a'], ['b'], ['c', 'd'], ['e', 'f']]);
    loads.at(-1)!.answer();
    await Promise.all(asked);
  } finally {
    vi.useRealTimers();
  }
});

it('who would have to wait behind too many is refused, and those before are answered', async () => {
  const { loads, gather } = slow({ maxKeys: 1, maxWaiting: 1 });
  const asked: Promise<unknown>[] = [];
  for (const key of ['a', 'b', 'c']) {
    asked.push(gather([key]));
    await turn();
  }
  await expect(gather(['d'])).rejects.toThrow('too much');
  loads[0]!.answer();
  await vi.waitFor(() => expect(loads).toHaveLength(3));
  for (const { answer } of loads) answer();
  await Promise.all(asked);
});
