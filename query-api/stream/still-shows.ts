import type { Queryable } from '../../platform/postgres/pool.ts';
import type { Serving } from '../../platform/postgres/serving.ts';
import { maySeePost, relationOf } from '../../schemas/visibility/visibility.ts';
import type { StreamMetrics } from './metrics.ts';
import type { HistoryFrame } from './session.ts';
import type { WireFrame } from './wire.ts';

export interface ShowsParts {
  pool: Queryable;
  serving: Serving;
  metrics: StreamMetrics;
}

interface PostRow {
  post_id: string;
  author_id: string;
  live: boolean;
  follows: boolean;
}

/** Marks the posts of a page that their reader may no longer see; one query a page. */
export async function hideWhatNoLongerShows(
  parts: ShowsParts,
  viewerId: string,
  frames: WireFrame[],
): Promise<HistoryFrame[]> {
  const postIds = frames.map(publishedPost).filter((postId) => postId !== null);
  if (postIds.length === 0) return frames;
  const gone = await postsThatShowNoMore(parts, viewerId, postIds);
  if (gone.size === 0) return frames;
  parts.metrics.hidden.inc(gone.size);
  return frames.map((frame) => ({ ...frame, hidden: gone.has(publishedPost(frame) ?? '') }));
}

function publishedPost(frame: WireFrame): string | null {
  if (frame.type !== 'post.published') return null;
  return typeof frame.data.postId === 'string' ? frame.data.postId : null;
}

/**
 * A frame was written when its post showed, so its media were ready then; only what took the post away since counts
 * here. The posts model may be behind the stream: a post it has not heard of is not one that is gone.
 */
async function postsThatShowNoMore(
  { pool, serving }: ShowsParts,
  viewerId: string,
  postIds: string[],
): Promise<Set<string>> {
  const models = serving.snapshot();
  const posts = models.get('posts');
  const graph = models.get('graph');
  if (!posts || !graph) return new Set();
  const { rows } = await pool.query<PostRow>(
    `SELECT p.post_id, p.author_id, p.live,
            EXISTS (SELECT FROM ${graph.schema}.follow f
                     WHERE f.follower_id = $2 AND f.followee_id = p.author_id AND f.live) AS follows
       FROM ${posts.schema}.post p
      WHERE p.post_id = ANY($1::uuid[])`,
    [postIds, viewerId],
  );
  const gone = rows.filter((row) => {
    const relation = relationOf(viewerId, row.author_id, row.follows);
    return !maySeePost(relation, { live: row.live, mediaReady: true });
  });
  return new Set(gone.map((row) => row.post_id));
}
