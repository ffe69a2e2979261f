import type { Queryable } from '../../platform/postgres/pool.ts';
import { modelTopics } from '../../schemas/models.ts';
import { type Lookup, openLookup } from '../guards/lookup.ts';
import type { Models } from '../guards/models.ts';

export interface KnownPost {
  postId: string;
  authorId: string;
  live: boolean;
  mediaReady: boolean;
  /** Milliseconds. */
  eventTime: number;
}

/** Posts by id, deleted ones too: whose they were stays known. */
export function openPosts(pool: Queryable, models: Models): Lookup<KnownPost> {
  return openLookup({
    topics: modelTopics.posts,
    version: () => models.schema('posts'),
    async load(postIds) {
      const { rows } = await pool.query(
        `SELECT post_id, author_id, live, visible, event_time FROM ${models.schema('posts')}.post
         WHERE post_id = ANY($1::uuid[])`,
        [postIds],
      );
      return new Map(rows.map((row) => [row.post_id, postOf(row)]));
    },
  });
}

function postOf(row: {
  post_id: string;
  author_id: string;
  live: boolean;
  visible: boolean;
  event_time: Date;
}): KnownPost {
  return {
    postId: row.post_id,
    authorId: row.author_id,
    live: row.live,
    mediaReady: row.visible,
    eventTime: row.event_time.getTime(),
  };
}
