import type { Queryable } from '../../platform/postgres/pool.ts';
import { modelTopics } from '../../schemas/models.ts';
import type { OwnerFacts } from '../../schemas/visibility/visibility.ts';
import { type Lookup, openLookup } from '../guards/lookup.ts';
import type { Models } from '../guards/models.ts';
import { foldUsername } from './fold.ts';
import type { AccountBody } from './register.ts';

export interface Person extends OwnerFacts {
  userId: string;
  /** Milliseconds. */
  eventTime: number;
}

/** Who is behind a username, by its folded form. */
export function openPeople(pool: Queryable, models: Models): Lookup<Person> {
  return openPersons(pool, models, { key: 'lower(username)', type: 'text' });
}

/** The same by id. */
export function openOwners(pool: Queryable, models: Models): Lookup<Person> {
  return openPersons(pool, models, { key: 'user_id', type: 'uuid' });
}

function openPersons(
  pool: Queryable,
  models: Models,
  { key, type }: { key: string; type: 'text' | 'uuid' },
): Lookup<Person> {
  return openLookup({
    topics: modelTopics.accounts,
    version: () => models.schema('accounts'),
    async load(keys) {
      const s = models.schema('accounts');
      const { rows } = await pool.query(
        // One a key, and said so: Postgres has no statistics of an expression under a partial index, takes a name for
        // that of hundreds, and then reads all profiles to join them.
        `SELECT n.key, p.user_id, p.live, r.private_since, greatest(p.event_time, r.event_time) AS event_time
         FROM unnest($1::${type}[]) AS n (key)
         CROSS JOIN LATERAL (
           SELECT * FROM ${s}.person WHERE ${key} = n.key AND live ORDER BY event_time DESC LIMIT 1
         ) AS p LEFT JOIN ${s}.profile r USING (user_id)`,
        [keys],
      );
      return new Map(rows.map((row) => [row.key, personOf(row)]));
    },
  });
}

function personOf(row: {
  user_id: string;
  live: boolean;
  private_since: Date | null;
  event_time: Date;
}): Person {
  return {
    userId: row.user_id,
    live: row.live,
    privateSince: row.private_since?.getTime() ?? null,
    eventTime: row.event_time.getTime(),
  };
}

/** The person of that username, in whatever case it was asked for. */
export function findPerson(
  people: Lookup<Person>,
  username: string,
  position: Parameters<Lookup<Person>['get']>[1],
): Promise<Person | null> {
  return people.get(foldUsername(username), position);
}

export interface OwnAccount {
  account: AccountBody;
  /** Milliseconds; null while the account is public. */
  privateSince: number | null;
  /** Newest event time of what it is made of, milliseconds. */
  eventTime: number;
}

/** Somebody's own account as the accounts model has it; null when it has none (yet, or any more). */
async function loadAccount(pool: Queryable, models: Models, userId: string): Promise<OwnAccount | null> {
  const schema = models.schema('accounts');
  const { rows } = await pool.query(
    `SELECT p.user_id, p.username, p.email, p.date_of_birth::text AS date_of_birth, r.full_name, r.bio, r.website,
       r.gender, r.avatar_media_id, r.private_since, greatest(p.event_time, r.event_time) AS event_time
     FROM ${schema}.person p LEFT JOIN ${schema}.profile r ON r.user_id = p.user_id
     WHERE p.user_id = $1 AND p.live`,
    [userId],
  );
  const row = rows[0];
  if (!row) return null;
  return {
    eventTime: row.event_time.getTime(),
    privateSince: row.private_since?.getTime() ?? null,
    account: {
      id: row.user_id,
      username: row.username,
      fullName: row.full_name ?? '',
      bio: row.bio ?? '',
      website: row.website,
      isPrivate: row.private_since !== null,
      email: row.email,
      dateOfBirth: row.date_of_birth,
      gender: row.gender,
      avatarMediaId: row.avatar_media_id,
    },
  };
}

/** Milliseconds for which somebody whose token or password was right is waited for, and between two looks. */
const appearsWithinMs = 2_000;
const lookEveryMs = 100;

/** The same for somebody who is known to exist, but perhaps only since a moment: waits, bounded, until it shows. */
export async function awaitAccount(
  pool: Queryable,
  models: Models,
  userId: string,
): Promise<OwnAccount | null> {
  const until = performance.now() + appearsWithinMs;
  for (;;) {
    const found = await loadAccount(pool, models, userId);
    if (found || performance.now() >= until) return found;
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
