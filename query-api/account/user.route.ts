import type { BoundRoute } from '../../platform/http/bind.ts';
import { readMe, readUser, searchUsers } from '../../schemas/account/user.http.ts';
import { loadPostCount } from '../content/post.reads.ts';
import { loadFollowCounts } from '../graph/follow.reads.ts';
import { loadTies } from '../graph/tie.reads.ts';
import { loadMedia } from '../media/media.reads.ts';
import type { Room } from '../room.ts';
import type { Scope } from '../scope.ts';
import { servePeople } from './user.page.ts';
import { type Beside, type Counts, presentMe, presentUser } from './user.present.ts';
import { requireOwnRow, requireUser, requireUserById, searchPeople, type UserRow } from './user.reads.ts';

export function userRoutes({ handle, publicUrl }: Room): BoundRoute[] {
  return [
    handle(readMe, async ({ viewer, scope }) => {
      const [user, own] = await Promise.all([
        requireUserById(scope, viewer.userId),
        requireOwnRow(scope, viewer.userId),
      ]);
      const [counts, beside] = await besides(scope, user, publicUrl);
      return { body: presentMe(user, own, counts, beside) };
    }),
    handle(readUser, async ({ params, scope }) => {
      const user = await requireUser(scope, params.username);
      const [counts, beside] = await besides(scope, user, publicUrl);
      return { body: presentUser(user, counts, beside) };
    }),
    handle(searchUsers, async ({ query, scope }) => {
      const skeleton = searchPeople.bind(null, scope, query.q);
      return { body: await servePeople({ scope, publicUrl, skeleton }, query) };
    }),
  ];
}

async function besides(scope: Scope, user: UserRow, publicUrl: string): Promise<[Counts, Beside]> {
  const [follows, posts, ties, media] = await Promise.all([
    loadFollowCounts(scope, user.id),
    loadPostCount(scope, user.id),
    loadTies(scope, [user.id]),
    loadMedia(scope, user.avatarMediaId === null ? [] : [user.avatarMediaId]),
  ]);
  return [
    { ...follows, posts },
    { viewerId: scope.viewerId, media, ties, publicUrl },
  ];
}
