import { avatarIds } from '../account/user.page.ts';
import { loadUsers } from '../account/user.reads.ts';
import type { Cursor } from '../cursor.ts';
import { loadContentTies } from '../graph/tie.reads.ts';
import { loadMedia } from '../media/media.reads.ts';
import { type PageQuery, type Steps, servePage } from '../pipeline.ts';
import type { Scope } from '../scope.ts';
import { loadLikes } from './like.reads.ts';
import { type PostJson, pageJson, postJson } from './post.json.ts';
import { maySeePostOf, type Posts } from './post.present.ts';
import { loadPosts } from './post.reads.ts';

/** Everything that posts are shown with, one round trip per kind. */
export async function hydratePosts(scope: Scope, ids: readonly string[]): Promise<Posts> {
  const [posts, likes] = await Promise.all([loadPosts(scope, ids), loadLikes(scope, ids)]);
  const rows = [...posts.values()];
  const authorIds = rows.map((post) => post.authorId);
  const users = await loadUsers(scope, authorIds);
  const [ties, media] = await Promise.all([
    loadContentTies(scope, users),
    loadMedia(scope, [...rows.flatMap((post) => post.mediaIds), ...avatarIds(users)]),
  ]);
  return { posts, likes, users, ties, media };
}

export interface PostsPage {
  scope: Scope;
  publicUrl: string;
  /** Entries whose id is a post's. */
  skeleton(after: Cursor | null, limit: number): Promise<Cursor[]>;
}

/** One page of posts, whichever list they are on, as JSON. */
export async function servePosts(
  { scope, publicUrl, skeleton }: PostsPage,
  query: PageQuery,
): Promise<{ json: Buffer }> {
  const steps: Steps<Cursor, Posts, PostJson> = {
    skeleton,
    hydrate: (entries) =>
      hydratePosts(
        scope,
        entries.map((entry) => entry.id),
      ),
    rules: ({ id }, posts) => maySeePostOf(scope.viewerId, id, posts),
    present: ({ id }, posts) => postJson(scope.viewerId, id, posts, publicUrl),
  };
  const { items, nextCursor } = await servePage(scope.cursors, steps, query);
  return { json: pageJson(items, nextCursor) };
}
