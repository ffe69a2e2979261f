import { uuidArray } from '../../platform/postgres/prepared.ts';
import { afterCursor, type Cursor, cursorParams } from '../cursor.ts';
import type { RowKind } from '../rows.ts';
import type { Scope } from '../scope.ts';

export interface PostRow {
  id: string;
  authorId: string;
  caption: string;
  mediaIds: string[];
  location: string | null;
  isReel: boolean;
  hideCounts: boolean;
  commentsOff: boolean;
  live: boolean;
  /** Live, and every one of its media is ready. */
  visible: boolean;
  publishedAt: Date;
}

const posts: RowKind<PostRow> = {
  model: 'posts',
  async load(db, s, ids) {
    const { rows } = await db.query(
      `SELECT post_id, author_id, caption, media_ids, location, is_reel, hide_counts, comments_off, live, visible,
              event_time
       FROM ${s}.post WHERE post_id = ANY($1::uuid[]) AND live`,
      [uuidArray(ids)],
    );
    return new Map(rows.map((row) => [row.post_id, postRow(row)]));
  },
};

/** Posts by id; unknown and deleted ones are missing from the map. */
export function loadPosts(scope: Scope, ids: readonly string[]): Promise<Map<string, PostRow>> {
  return scope.recall(posts, ids);
}

// biome-ignore lint/suspicious/noExplicitAny: the columns above
function postRow(row: any): PostRow {
  return {
    id: row.post_id,
    authorId: row.author_id,
    caption: row.caption ?? '',
    mediaIds: row.media_ids,
    location: row.location,
    isReel: row.is_reel,
    hideCounts: row.hide_counts,
    commentsOff: row.comments_off,
    live: row.live,
    visible: row.visible,
    publishedAt: row.event_time,
  };
}

/** An author's posts, newest first; the rules say which of them the viewer sees. */
export async function postsOf(
  scope: Scope,
  authorId: string,
  after: Cursor | null,
  limit: number,
): Promise<Cursor[]> {
  const { rows } = await scope.db.query(
    `SELECT post_id, event_time FROM ${scope.schema('posts')}.post
     WHERE author_id = $1 AND live AND ${afterCursor('event_time', 'post_id', 2)}
     ORDER BY event_time DESC, post_id DESC LIMIT $4`,
    [authorId, ...cursorParams(after), limit],
  );
  return rows.map((row) => ({ id: row.post_id, time: row.event_time.getTime() }));
}

export async function loadPostCount(scope: Scope, authorId: string): Promise<number> {
  const { rows } = await scope.db.query(
    `SELECT posts FROM ${scope.schema('posts')}.author_post_count WHERE author_id = $1`,
    [authorId],
  );
  return rows[0]?.posts ?? 0;
}
