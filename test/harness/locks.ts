import { expect, vi } from 'vitest';
import type { Queryable } from '../../platform/postgres/pool.ts';

/**
 * Resolves when somebody in this database waits for a lock that another transaction holds. Fails when the work, which
 * is what is to wait, ends instead.
 */
export async function waitsForLock(db: Queryable, work: Promise<unknown>): Promise<void> {
  let over = false;
  const done = (): void => {
    over = true;
  };
  work.then(done, done);
  await vi.waitFor(
    async () => {
      const { rows } = await db.query(
        `SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE NOT l.granted AND a.datname = current_database()`,
      );
      expect(over, 'what was to wait for a lock is over').toBe(false);
      expect(rows.length, 'nobody waits for a lock').toBeGreaterThan(0);
    },
    { timeout: 10_000, interval: 20 },
  );
}
