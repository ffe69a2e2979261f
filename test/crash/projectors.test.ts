import { expect, test } from 'vitest';
import { pointsInSource } from './points.ts';
import { testDeathsAt } from './stage.ts';

const points = await pointsInSource();

test('the source names points, each with a name of its own', () => {
  const names = points.map(({ name }) => name);
  expect(names.length).toBeGreaterThan(35);
  expect(names).toEqual([...new Set(names)]);
});

testDeathsAt(points.filter(({ service }) => service === 'projectors'));
