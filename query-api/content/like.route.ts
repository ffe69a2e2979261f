import type { BoundRoute } from '../../platform/http/bind.ts';
import { listLikes } from '../../schemas/content/like.http.ts';
import { servePeople } from '../account/user.page.ts';
import type { Room } from '../room.ts';
import { likersOf } from './like.reads.ts';
import { requirePost } from './post.route.ts';

export function likeRoutes({ handle, publicUrl }: Room): BoundRoute[] {
  return [
    handle(listLikes, async ({ params, query, scope }) => {
      await requirePost(scope, params.id);
      const skeleton = likersOf.bind(null, scope, params.id);
      return { body: await servePeople({ scope, publicUrl, skeleton }, query) };
    }),
  ];
}
