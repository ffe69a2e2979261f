import { expect, test } from 'vitest';
import type { Queryable } from '../../platform/postgres/pool.ts';
import type { Build } from '../../projectors/engine/rebuild/builds.ts';
import { diskNeed } from '../../projectors/engine/rebuild/disk.ts';

const build = { model: 'likes', version: 2 } as Build;

/** A served version of this size; the disk under this folder is the real one. */
const servedBytes = (bytes: number): Queryable =>
  ({ query: async () => ({ rows: [{ bytes }] }) }) as unknown as Queryable;

test('a build that the disk has no room for is seen before it begins', async () => {
  const need = await diskNeed(servedBytes(1e18), build, import.meta.dirname);
  expect(need.enough).toBe(false);
  expect(need.detail).toMatch(/^needs about 3000000000\.00 GB of disk, [\d.]+ GB are free$/);
});

test('a small one goes on, and says what it reckoned with', async () => {
  expect(await diskNeed(servedBytes(1_000), build, import.meta.dirname)).toMatchObject({ enough: true });
});

test('where Postgres runs elsewhere nobody can tell, and the build says so', async () => {
  const need = await diskNeed(servedBytes(1e18), build, null);
  expect(need).toMatchObject({ enough: true });
  expect(need.detail).toContain('EMULSION_POSTGRES_DATA');
});
