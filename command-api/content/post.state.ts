import type { PositionToken } from '../../platform/log/position.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';
import { uuidArray } from '../../platform/postgres/prepared.ts';
import { modelTopics } from '../../schemas/models.ts';
import type { OwnerFacts, Relation } from '../../schemas/visibility/visibility.ts';
import { standingToOwner, type TieShell } from '../graph/tie.state.ts';
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

/** A post, its author, and how whoever acts stands to them. */
export interface PostState {
  /** null: no such post is known. */
  post: KnownPost | null;
  /** null: not known (yet). */
  author: OwnerFacts | null;
  relation: Relation;
  /** Newest event time of all of it, milliseconds. */
  newestSeen: number;
}

export async function loadPostState(
  shell: TieShell & { posts: Lookup<KnownPost> },
  actorId: string,
  postId: string,
  position: PositionToken | null,
): Promise<PostState> {
  const post = await shell.posts.get(postId, position);
  if (!post) return { post, author: null, relation: 'stranger', newestSeen: 0 };
  const standing = await standingToOwner(shell, actorId, post.authorId, position);
  const { person: author } = standing;
  const relation = post.authorId === actorId ? 'owner' : standing.relation;
  return { post, author, relation, newestSeen: Math.max(post.eventTime, standing.newestSeen) };
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
        [uuidArray(postIds)],
      );
      return new Map(rows.map((row) => [row.post_id, postOf(row)]));
    },
    // Its media may become ready at any moment.
    keep: (post) => post.mediaReady || !post.live,
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
