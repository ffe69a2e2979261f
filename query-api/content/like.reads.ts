import { afterCursor, type Cursor, cursorParams } from '../cursor.ts';
import type { Scope } from '../scope.ts';

export interface LikesOf {
  count: number;
  byViewer: boolean;
}

/** Who likes a post, newest first: skeleton entries whose id is the liker's. */
export async function likersOf(
  scope: Scope,
  postId: string,
  after: Cursor | null,
  limit: number,
): Promise<Cursor[]> {
  const { rows } = await scope.db.query(
    `SELECT liker_id, event_time FROM ${scope.schema('likes')}.post_like
     WHERE post_id = $1 AND live AND ${afterCursor('event_time', 'liker_id', 2)}
     ORDER BY event_time DESC, liker_id DESC LIMIT $4`,
    [postId, ...cursorParams(after), limit],
  );
  return rows.map((row) => ({ id: row.liker_id, time: row.event_time.getTime() }));
}

/** Counts and the viewer's own like of these posts, one round trip. */
export async function loadLikes(scope: Scope, postIds: readonly string[]): Promise<Map<string, LikesOf>> {
  if (postIds.length === 0) return new Map();
  const s = scope.schema('likes');
  const { rows } = await scope.db.query(
    `SELECT n.post_id, coalesce(c.likes, 0) AS count, coalesce(l.live, false) AS by_viewer
     FROM unnest($1::uuid[]) AS n (post_id)
     LEFT JOIN ${s}.post_like_count c USING (post_id)
     LEFT JOIN ${s}.post_like l ON l.post_id = n.post_id AND l.liker_id = $2`,
    [postIds, scope.viewerId],
  );
  return new Map(rows.map((row) => [row.post_id, { count: row.count, byViewer: row.by_viewer }]));
}
