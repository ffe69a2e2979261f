import {
  maySeeBlocked,
  maySeeContent,
  maySeeProfile,
  noTie,
  type OwnerFacts,
  type Relation,
  relationOf,
  type Tie,
} from '../../schemas/visibility/visibility.ts';

type Owner = OwnerFacts & { id: string };

/** How the viewer stands to this person; `ties` are the viewer's, by the other's id. */
export function relationTo(viewerId: string | null, owner: Owner, ties: ReadonlyMap<string, Tie>): Relation {
  return relationOf(viewerId, owner.id, owner, ties.get(owner.id) ?? noTie);
}

/** Whether the viewer may see this person. */
export function maySeeUser(
  viewerId: string | null,
  user: Owner | undefined,
  ties: ReadonlyMap<string, Tie>,
): boolean {
  return user !== undefined && maySeeProfile(relationTo(viewerId, user, ties), user);
}

/** Whether the viewer may see what this person shows beyond their profile. */
export function maySeeContentOf(
  viewerId: string | null,
  user: Owner,
  ties: ReadonlyMap<string, Tie>,
): boolean {
  return maySeeContent(relationTo(viewerId, user, ties), user);
}

/** Whether somebody is on the viewer's list of those they have blocked. */
export function maySeeBlockedUser(
  viewerId: string | null,
  user: Owner | undefined,
  ties: ReadonlyMap<string, Tie>,
): boolean {
  return user !== undefined && maySeeBlocked(relationTo(viewerId, user, ties), user);
}
