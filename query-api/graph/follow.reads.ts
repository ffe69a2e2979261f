import { requestWaits } from '../../schemas/graph/tie.ts';
import { afterCursor, type Cursor, cursorParams } from '../cursor.ts';
import type { Scope } from '../scope.ts';

/** Followers of somebody, newest first: skeleton entries whose id is the follower's. */
export function followersOf(
  scope: Scope,
  userId: string,
  after: Cursor | null,
  limit: number,
): Promise<Cursor[]> {
  return edges(scope, 'followee_id', 'follower_id', userId, after, limit);
}

/** Whom somebody follows, newest first. */
export function followingOf(
  scope: Scope,
  userId: string,
  after: Cursor | null,
  limit: number,
): Promise<Cursor[]> {
  return edges(scope, 'follower_id', 'followee_id', userId, after, limit);
}

/** Who has asked to follow the viewer, newest first; the rules leave out who follows by now. */
export async function requestsTo(scope: Scope, after: Cursor | null, limit: number): Promise<Cursor[]> {
  const s = scope.schema('graph');
  const { rows } = await scope.db.query(
    `SELECT follower_id AS id, r.requested_at
     FROM ${s}.follow_request r LEFT JOIN ${s}.follow f USING (follower_id, followee_id)
     WHERE followee_id = $1 AND r.live AND ${requestWaits} AND ${afterCursor('r.requested_at', 'follower_id', 2)}
     ORDER BY r.requested_at DESC, follower_id DESC LIMIT $4`,
    [scope.viewerId, ...cursorParams(after), limit],
  );
  return rows.map((row) => ({ id: row.id, time: row.requested_at.getTime() }));
}

type End = 'follower_id' | 'followee_id';

async function edges(
  scope: Scope,
  from: End,
  to: End,
  userId: string,
  after: Cursor | null,
  limit: number,
): Promise<Cursor[]> {
  const { rows } = await scope.db.query(
    `SELECT ${to} AS id, followed_at FROM ${scope.schema('graph')}.follow
     WHERE ${from} = $1 AND live AND ${afterCursor('followed_at', to, 2)}
     ORDER BY followed_at DESC, ${to} DESC LIMIT $4`,
    [userId, ...cursorParams(after), limit],
  );
  return rows.map((row) => ({ id: row.id, time: row.followed_at.getTime() }));
}

export interface FollowCounts {
  followers: number;
  following: number;
}

export async function loadFollowCounts(scope: Scope, userId: string): Promise<FollowCounts> {
  const { rows } = await scope.db.query(
    `SELECT followers, following FROM ${scope.schema('graph')}.follow_count WHERE user_id = $1`,
    [userId],
  );
  return rows[0] ?? { followers: 0, following: 0 };
}
