import argon2 from 'argon2';
import type { Queryable } from '../../platform/postgres/pool.ts';
import { problem } from '../guards/problem.ts';
import { openSlots } from '../guards/slots.ts';

export interface Passwords {
  /**
   * Hashes a password, unless `stillWanted` says otherwise when its turn has come: who waited behind a hundred others
   * for a name that is taken by now must not cost a hash.
   */
  hash(password: string, stillWanted: () => Promise<boolean>): Promise<string | null>;
  /** false also for a missing hash, after the same work, so that time tells nobody whether a name exists. */
  verify(hash: string | null, password: string): Promise<boolean>;
}

// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
const cost = { type: argon2.argon2id, memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 } as const;

/**
 * libuv has four threads for files, names and hashes alike: hashing takes half of them. Who waits longer than 10 s is
 * told before nginx gives up, and before work is done for a client that has left.
 */
const limits = { atOnce: 2, waiting: 1_000, withinMs: 10_000 };

export async function openPasswords(): Promise<Passwords> {
  const slots = openSlots(limits, () =>
    problem('dependency_unavailable', 'Too many passwords are being checked. Nothing was done; try again.'),
  );
  const nobodys = await argon2.hash('nobody has this password', cost);
  return {
    hash: (password, stillWanted) =>
      slots.run(async () => ((await stillWanted()) ? argon2.hash(password, cost) : null)),
    verify: (hash, password) =>
      slots.run(async () => (await argon2.verify(hash ?? nobodys, password)) && hash !== null),
  };
}

/** null when nobody has this id, any more or yet. */
export async function passwordHashOf(pool: Queryable, userId: string): Promise<string | null> {
  const { rows } = await pool.query('SELECT password_hash FROM vault.credential WHERE user_id = $1', [
    userId,
  ]);
  return rows[0]?.password_hash ?? null;
}
