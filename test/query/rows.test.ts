import { beforeEach, expect, it, vi } from 'vitest';
import type { Queryable } from '../../platform/postgres/pool.ts';
import { openRows, type RowKind, type Rows } from '../../query-api/rows.ts';

const served = { version: 1, schema: 'posts_v1', consumer: 'posts.v1' };
const db = {} as Queryable;

let table: Record<string, string>;
let loads: string[];
let moves: number;
let rows: Rows;
const kind: RowKind<string> = {
  model: 'posts',
  async load(_db, s, keys) {
    loads.push(`${s}: ${keys.join()}`);
    return new Map(keys.flatMap((key) => (table[key] ? [[key, table[key]]] : [])));
  },
};
const recall = async (...keys: string[]) => Object.fromEntries(await rows.recall(kind, served, keys));

beforeEach(() => {
  table = { a: 'first' };
  loads = [];
  moves = 0;
  rows = openRows({ db, moves: () => moves });
});

it('a row is remembered while its model stands still', async () => {
  expect(await recall('a')).toEqual({ a: 'first' });
  table = { a: 'second', b: 'new' };
  expect(await recall('a', 'b')).toEqual({ a: 'first', b: 'new' });
  expect(loads).toEqual(['posts_v1: a', 'posts_v1: b']);
});

it('what was read before the model moved is asked for again', async () => {
  await recall('a');
  table = { a: 'second' };
  moves += 1;
  expect(await recall('a')).toEqual({ a: 'second' });
});

it('what the model moved past while it was read is not remembered as what came after', async () => {
  const slow: RowKind<string> = {
    model: 'posts',
    async load(...args) {
      const found = await kind.load(...args);
      moves += 1;
      return found;
    },
  };
  const asked = async () => Object.fromEntries(await rows.recall(slow, served, ['a']));
  expect(await asked()).toEqual({ a: 'first' });
  table = { a: 'second' };
  expect(await asked()).toEqual({ a: 'second' });
});

it('nothing is remembered longer than a second: a repair moves no position', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    await recall('a');
    table = { a: 'repaired' };
    vi.advanceTimersByTime(999);
    expect(await recall('a')).toEqual({ a: 'first' });
    vi.advanceTimersByTime(1);
    expect(await recall('a')).toEqual({ a: 'repaired' });
  } finally {
    vi.useRealTimers();
  }
});

it('that something is missing is not remembered', async () => {
  expect(await recall('b')).toEqual({});
  table = { b: 'here' };
  expect(await recall('b')).toEqual({ b: 'here' });
});

it('another version of the model is asked for its own rows', async () => {
  await recall('a');
  const next = { version: 2, schema: 'posts_v2', consumer: 'posts.v2' };
  await rows.recall(kind, next, ['a']);
  expect(loads).toEqual(['posts_v1: a', 'posts_v2: a']);
});

it('what is only asked for is never remembered', async () => {
  await rows.ask(kind, served, ['a']);
  table = { a: 'second' };
  expect(Object.fromEntries(await rows.ask(kind, served, ['a']))).toEqual({ a: 'second' });
});
