import { expect, it } from 'vitest';
import { frameTypes } from '../../schemas/notify/frame.ts';
import { allRoutes } from '../../schemas/routes.ts';
import { asks } from './asks.ts';
import { frames, type Rows, routes } from './table.ts';

it('every endpoint has a row of who may see or do it, and there is no row of anything else', () => {
  expect(Object.keys(routes).toSorted()).toEqual(allRoutes.map(({ name }) => name).toSorted());
});

it('every frame of the stream has one', () => {
  expect(Object.keys(frames).toSorted()).toEqual(frameTypes.toSorted());
});

it('every row of an endpoint is asked, and nothing else', () => {
  const rowsOf = (rows: Rows) => (typeof rows === 'string' ? [] : rows.map(({ what }) => what));
  const named = Object.entries(routes).flatMap(([name, rows]) =>
    rowsOf(rows).map((what) => `${name}: ${what}`),
  );
  expect(Object.keys(asks).toSorted()).toEqual(named.toSorted());
});
