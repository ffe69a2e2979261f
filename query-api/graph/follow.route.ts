import type { BoundRoute } from '../../platform/http/bind.ts';
import { listFollowers, listFollowing } from '../../schemas/graph/follow.http.ts';
import { servePeople } from '../account/user.page.ts';
import { requireUser } from '../account/user.reads.ts';
import type { Room } from '../room.ts';
import { followersOf, followingOf } from './follow.reads.ts';

export function followRoutes({ handle, publicUrl }: Room): BoundRoute[] {
  return [
    handle(listFollowers, async ({ params, query, scope }) => {
      const { id } = await requireUser(scope, params.username);
      const skeleton = followersOf.bind(null, scope, id);
      return { body: await servePeople({ scope, publicUrl, skeleton }, query) };
    }),
    handle(listFollowing, async ({ params, query, scope }) => {
      const { id } = await requireUser(scope, params.username);
      const skeleton = followingOf.bind(null, scope, id);
      return { body: await servePeople({ scope, publicUrl, skeleton }, query) };
    }),
  ];
}
