import { expect, it } from 'vitest';
import { against, figureOf, median, quantile } from '../../tools/bench/figures.ts';

it('a median is the middle of the values, whatever their order', () => {
  expect(median([30, 1, 20])).toBe(20);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

it('between neighbours a quantile is in proportion', () => {
  const values = Array.from({ length: 101 }, (_, n) => 100 - n);
  expect(quantile(values, 0.99)).toBe(99);
  expect(quantile(values, 0)).toBe(0);
  expect(quantile(values, 1)).toBe(100);
  expect(quantile([7], 0.99)).toBe(7);
});

it('a figure is the median of the rates of its runs, not of all they did together', () => {
  const figure = figureOf('x', [
    { count: 100, seconds: 1 },
    { count: 900, seconds: 1 },
    { count: 10_000, seconds: 50 },
  ]);
  expect(figure).toMatchObject({ perSecond: 200, runs: 3 });
});

it('latencies are medians of what the runs say, and memory is the largest', () => {
  const run = (p99Ms: number, memoryMb: number) => ({
    count: 1,
    seconds: 1,
    latency: { p50Ms: 1, p99Ms },
    memoryMb,
  });
  expect(figureOf('x', [run(10, 5), run(90, 9), run(20, 7)])).toMatchObject({ p99Ms: 20, memoryMb: 9 });
});

it('a subject is held against the slowest ceiling', () => {
  const figure = (perSecond: number) => ({ name: 'x', perSecond, runs: 1 });
  expect(against(figure(30), [figure(100), figure(60)])).toMatchObject({ ceilingPerSecond: 60, ratio: 0.5 });
});
