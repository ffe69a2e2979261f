import type { BoundRoute } from '../../platform/http/bind.ts';
import { listFollowers, listFollowing } from '../../schemas/graph/follow.http.ts';
import { listFollowRequests } from '../../schemas/graph/request.http.ts';
import { servePeople } from '../account/user.page.ts';
import { requireUser } from '../account/user.reads.ts';
import { nothing } from '../pipeline.ts';
import type { Room } from '../room.ts';
import { followersOf, followingOf } from './follow.reads.ts';
import { serveRequests } from './request.page.ts';

export function followRoutes({ handle, publicUrl }: Room): BoundRoute[] {
  return [
    handle(listFollowers, async ({ params, query, scope }) => {
      const user = await requireUser(scope, params.username);
      const skeleton = user.showsContent ? followersOf.bind(null, scope, user.id) : nothing;
      return { body: await servePeople({ scope, publicUrl, skeleton }, query) };
    }),
    handle(listFollowing, async ({ params, query, scope }) => {
      const user = await requireUser(scope, params.username);
      const skeleton = user.showsContent ? followingOf.bind(null, scope, user.id) : nothing;
      return { body: await servePeople({ scope, publicUrl, skeleton }, query) };
    }),
    handle(listFollowRequests, async ({ query, scope }) => {
      return { body: await serveRequests(scope, publicUrl, query) };
    }),
  ];
}
