import type { BoundRoute } from '../../platform/http/bind.ts';
import { listPostsByUserId, listUserPosts, readPost } from '../../schemas/content/post.http.ts';
import { requireUser, requireUserById, type SeenUser } from '../account/user.reads.ts';
import { nothing } from '../pipeline.ts';
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
      const skeleton = postsShown(scope, await requireUser(scope, params.username));
      return servePosts({ scope, publicUrl, skeleton }, query);
    }),
    handle(listPostsByUserId, async ({ params, query, scope }) => {
      const skeleton = postsShown(scope, await requireUserById(scope, params.userId));
      return servePosts({ scope, publicUrl, skeleton }, query);
    }),
  ];
}

/** The rules hide each post of a private account; so that no page tells how many there are, nothing is looked at. */
function postsShown(scope: Scope, { id, showsContent }: SeenUser) {
  return showsContent ? postsOf.bind(null, scope, id) : nothing;
}

/** The post with all it is shown with. Throws post_not_found when the viewer may not see it. */
export async function requirePost(scope: Scope, id: string): Promise<Posts> {
  const posts = await hydratePosts(scope, [id]);
  if (!maySeePostOf(scope.viewerId, id, posts)) throw problem('post_not_found');
  return posts;
}
