import { maySeeProfile, relationOf } from '../../schemas/visibility/visibility.ts';

/** Whether the viewer may see this person; `followed` are those whom the viewer follows. */
export function maySeeUser(
  viewerId: string | null,
  user: { id: string; live: boolean } | undefined,
  followed: ReadonlySet<string>,
): boolean {
  return user !== undefined && maySeeProfile(relationOf(viewerId, user.id, followed.has(user.id)), user);
}
