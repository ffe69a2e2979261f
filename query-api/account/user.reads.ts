import { uuidArray } from '../../platform/postgres/prepared.ts';
import { afterCursor, type Cursor, cursorParams } from '../cursor.ts';
import { loadTies } from '../graph/tie.reads.ts';
import { problem } from '../problem.ts';
import type { RowKind } from '../rows.ts';
import type { Scope } from '../scope.ts';
import { maySeeContentOf, maySeeUser } from './user.rules.ts';

/** What anybody may be told of a person. */
export interface UserRow {
  id: string;
  username: string;
  fullName: string;
  bio: string;
  website: string | null;
  avatarMediaId: string | null;
  live: boolean;
  /** Since when the account is private, milliseconds; null while it is public. */
  privateSince: number | null;
}

/** What only the person is told. */
export interface OwnRow {
  email: string;
  /** YYYY-MM-DD */
  dateOfBirth: string;
  gender: string | null;
}

const peopleIn = (s: string): string => `${s}.person p JOIN ${s}.profile f USING (user_id)`;

const people = (scope: Scope): string => peopleIn(scope.schema('accounts'));

const userColumns = `user_id, p.username, f.full_name, f.bio, f.website, f.avatar_media_id, f.private_since,
  p.live AND f.live AS live`;

const users: RowKind<UserRow> = {
  model: 'accounts',
  async load(db, s, ids) {
    const { rows } = await db.query(
      `SELECT ${userColumns} FROM ${peopleIn(s)} WHERE user_id = ANY($1::uuid[]) AND p.live AND f.live`,
      [uuidArray(ids)],
    );
    return new Map(rows.map((row) => [row.user_id, userRow(row)]));
  },
};

/** People by id; unknown ones are missing from the map. */
export function loadUsers(scope: Scope, ids: readonly string[]): Promise<Map<string, UserRow>> {
  return scope.recall(users, ids);
}

/** Somebody whom the viewer may see. */
export interface SeenUser extends UserRow {
  /** Whether they may see more than the profile: posts, followers, whom they follow. */
  showsContent: boolean;
}

/** Whoever has the name now, as far as the viewer may know. Throws user_not_found. */
export async function requireUser(scope: Scope, username: string): Promise<SeenUser> {
  const s = scope.schema('accounts');
  const { rows } = await scope.db.query(
    // One, and said so: Postgres takes a name for that of hundreds, and might read all profiles to join them.
    `SELECT ${userColumns} FROM (
       SELECT * FROM ${s}.person WHERE lower(username) = lower($1) AND live ORDER BY event_time DESC LIMIT 1
     ) AS p JOIN ${s}.profile f USING (user_id) WHERE f.live`,
    [username],
  );
  return requireVisible(scope, rows[0] && userRow(rows[0]));
}

/** The same by id. Throws user_not_found. */
export async function requireUserById(scope: Scope, userId: string): Promise<SeenUser> {
  return requireVisible(scope, (await loadUsers(scope, [userId])).get(userId));
}

async function requireVisible(scope: Scope, user: UserRow | undefined): Promise<SeenUser> {
  if (!user) throw problem('user_not_found');
  const ties = await loadTies(scope, [user.id]);
  if (!maySeeUser(scope.viewerId, user, ties)) throw problem('user_not_found');
  return { ...user, showsContent: maySeeContentOf(scope.viewerId, user, ties) };
}

/** Throws user_not_found: the token may outlive the account. */
export async function requireOwnRow(scope: Scope, userId: string): Promise<OwnRow> {
  const { rows } = await scope.db.query(
    `SELECT p.email, to_char(p.date_of_birth, 'YYYY-MM-DD') AS date_of_birth, f.gender
     FROM ${people(scope)} WHERE user_id = $1 AND p.live AND f.live`,
    [userId],
  );
  if (!rows[0]) throw problem('user_not_found');
  return { email: rows[0].email, dateOfBirth: rows[0].date_of_birth, gender: rows[0].gender };
}

/** Characters of a full name that its index has. */
const indexedCharacters = 200;

/** People whose username or full name begins with the text, whatever the case; newest account first. */
export async function searchPeople(
  scope: Scope,
  text: string,
  after: Cursor | null,
  limit: number,
): Promise<Cursor[]> {
  const s = scope.schema('accounts');
  const wanted = [...text.toLowerCase()];
  const { rows } = await scope.db.query(
    `SELECT p.user_id, p.event_time FROM (
       SELECT user_id FROM ${s}.person WHERE live AND lower(username) LIKE $1
       UNION SELECT user_id FROM ${s}.profile
       WHERE live AND left(lower(full_name), ${indexedCharacters}) LIKE $5 AND lower(full_name) LIKE $1
     ) AS found JOIN ${s}.person p USING (user_id)
     WHERE p.live AND ${afterCursor('p.event_time', 'p.user_id', 2)}
     ORDER BY p.event_time DESC, p.user_id DESC LIMIT $4`,
    [beginningWith(wanted), ...cursorParams(after), limit, beginningWith(wanted.slice(0, indexedCharacters))],
  );
  return rows.map((row) => ({ id: row.user_id, time: row.event_time.getTime() }));
}

function beginningWith(characters: readonly string[]): string {
  return `${characters.join('').replaceAll(/[\\%_]/g, '\\$&')}%`;
}

// biome-ignore lint/suspicious/noExplicitAny: the columns above
function userRow(row: any): UserRow {
  return {
    id: row.user_id,
    username: row.username,
    fullName: row.full_name,
    bio: row.bio ?? '',
    website: row.website ?? null,
    avatarMediaId: row.avatar_media_id ?? null,
    live: row.live,
    privateSince: row.private_since?.getTime() ?? null,
  };
}
