import type { BoundRoute } from '../../platform/http/bind.ts';
import { listPostsByUserId, listUserPosts, readPost } from '../../schemas/content/post.http.ts';
import { requireUser, requireUserById } from '../account/user.reads.ts';
import { problem } from '../problem.ts';
import type { Room } from '../room.ts';
import type { Scope } from '../scope.ts';
import { hydratePosts, servePosts } from './post.page.ts';
import { maySeePostOf, type Posts, presentPost } from './post.present.ts';
import { postsOf } from './post.reads.ts';

export function postRoutes({ handle, publicUrl }: Room): BoundRoute[] {
  return [
    handle(readPost, async ({ params, scope }) => {
      const posts = await requirePost(scope, params.id);
      return { body: presentPost(scope.viewerId, params.id, posts, publicUrl) };
    }),
    handle(listUserPosts, async ({ params, query, scope }) => {
      const { id } = await requireUser(scope, params.username);
      return { body: await servePosts({ scope, publicUrl, skeleton: postsOf.bind(null, scope, id) }, query) };
    }),
    handle(listPostsByUserId, async ({ params, query, scope }) => {
      const { id } = await requireUserById(scope, params.userId);
      return { body: await servePosts({ scope, publicUrl, skeleton: postsOf.bind(null, scope, id) }, query) };
    }),
  ];
}

/** The post with all it is shown with. Throws post_not_found when the viewer may not see it. */
export async function requirePost(scope: Scope, id: string): Promise<Posts> {
  const posts = await hydratePosts(scope, [id]);
  if (!maySeePostOf(scope.viewerId, id, posts)) throw problem('post_not_found');
  return posts;
}
