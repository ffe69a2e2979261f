import { uuidArray } from '../../platform/postgres/prepared.ts';
import { afterCursor, type Cursor, cursorParams } from '../cursor.ts';
import { pairColumns, pairKey, type RowKind } from '../rows.ts';
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

const counts: RowKind<number> = {
  model: 'likes',
  async load(db, s, postIds) {
    const { rows } = await db.query(
      `SELECT post_id, likes FROM ${s}.post_like_count WHERE post_id = ANY($1::uuid[])`,
      [uuidArray(postIds)],
    );
    return new Map(rows.map((row) => [row.post_id, row.likes]));
  },
};

/** Which of these pairs of a post and a person are likes. */
const likes: RowKind<true> = {
  model: 'likes',
  async load(db, s, pairs) {
    const { rows } = await db.query(
      `SELECT post_id, liker_id FROM unnest($1::uuid[], $2::uuid[]) AS n (post_id, liker_id)
       JOIN ${s}.post_like USING (post_id, liker_id) WHERE live`,
      pairColumns(pairs),
    );
    return new Map(rows.map((row) => [pairKey(row.post_id, row.liker_id), true]));
  },
};

/** Counts and the viewer's own like of these posts. */
export async function loadLikes(scope: Scope, postIds: readonly string[]): Promise<Map<string, LikesOf>> {
  const { viewerId } = scope;
  const own = viewerId === null ? [] : postIds.map((postId) => pairKey(postId, viewerId));
  const [counted, liked] = await Promise.all([scope.ask(counts, postIds), scope.ask(likes, own)]);
  return new Map(
    postIds.map((postId, n) => [
      postId,
      { count: counted.get(postId) ?? 0, byViewer: viewerId !== null && liked.has(own[n]!) },
    ]),
  );
}
