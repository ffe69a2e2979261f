/**
 * Who may see and do what: the only place that decides it. Pure; facts come in as arguments, and every list, feed,
 * search, stream and command asks here.
 */

/** How the viewer stands to the owner of what is asked for. */
export type Relation = 'nobody' | 'stranger' | 'requested' | 'follower' | 'blocker' | 'blocked' | 'owner';

/** The rows that stand between a viewer and an owner. Times are milliseconds; null: there is none. */
export interface Tie {
  /** Since when the viewer follows the owner, and when that was last said. */
  followedAt: number | null;
  followSaidAt: number | null;
  /** The follow was granted by the owner. */
  approved: boolean;
  /** Since when the viewer asks to follow. */
  requestedAt: number | null;
  /** The viewer has blocked the owner; the owner has blocked the viewer. */
  blocks: boolean;
  isBlocked: boolean;
}

export const noTie: Tie = {
  followedAt: null,
  followSaidAt: null,
  approved: false,
  requestedAt: null,
  blocks: false,
  isBlocked: false,
};

export interface OwnerFacts {
  live: boolean;
  /** Since when the account is private, milliseconds; null while it is public. */
  privateSince: number | null;
}

export interface PostFacts {
  live: boolean;
  /** Every one of its media is ready. */
  mediaReady: boolean;
}

/** A block goes before all else, and whoever is blocked is told less than whoever blocks. */
export function relationOf(
  viewerId: string | null,
  ownerId: string,
  owner: OwnerFacts,
  tie: Tie = noTie,
): Relation {
  if (viewerId === null) return 'nobody';
  if (viewerId === ownerId) return 'owner';
  if (tie.isBlocked) return 'blocked';
  if (tie.blocks) return 'blocker';
  if (isFollower(owner, tie)) return 'follower';
  return tie.followedAt === null && tie.requestedAt === null ? 'stranger' : 'requested';
}

/**
 * A follow that nobody granted opens a private account only when it is older than the privacy (DESIGN §3: privacy and
 * approval are compared by time): one that slipped through the moment of the change does not.
 */
function isFollower({ privateSince }: OwnerFacts, { followedAt, followSaidAt, approved }: Tie): boolean {
  if (followedAt === null) return false;
  return approved || privateSince === null || followSaidAt! < privateSince;
}

/** People between whom one has blocked the other do not exist for each other. */
export function maySeeProfile(relation: Relation, person: { live: boolean }): boolean {
  return person.live && relation !== 'blocked' && relation !== 'blocker';
}

/** What somebody shows beyond who they are: their posts, whom they follow and who follows them. */
export function maySeeContent(relation: Relation, owner: OwnerFacts): boolean {
  if (!maySeeProfile(relation, owner)) return false;
  return owner.privateSince === null || relation === 'follower' || relation === 'owner';
}

/** A post shows when its media is ready; its author sees it from the start. */
export function maySeePost(relation: Relation, author: OwnerFacts, post: PostFacts): boolean {
  if (!post.live || !maySeeContent(relation, author)) return false;
  return post.mediaReady || relation === 'owner';
}

/** Liking needs an account and a post that one may see. */
export function mayLikePost(relation: Relation, author: OwnerFacts, post: PostFacts): boolean {
  return relation !== 'nobody' && maySeePost(relation, author, post);
}

/** A like can be taken back from a post that is deleted or hidden by now, but not from one of who does not exist. */
export function mayUnlikePost(relation: Relation, author: OwnerFacts): boolean {
  return relation !== 'nobody' && maySeeProfile(relation, author);
}

/** Moderators join with their rows. */
export function mayDeletePost(relation: Relation): boolean {
  return relation === 'owner';
}

/** Whoever has blocked somebody may say so again, and take it back. */
export function mayBlock(relation: Relation, person: { live: boolean }): boolean {
  return person.live && relation !== 'nobody' && relation !== 'blocked';
}

/** Taking a block back needs nobody's leave, not even of who has blocked, too. */
export function mayUnblock(relation: Relation, person: { live: boolean }, tie: Tie): boolean {
  return tie.blocks || mayBlock(relation, person);
}

/** Only those whom one has blocked are on one's list, and not who has done the same. */
export function maySeeBlocked(relation: Relation, person: { live: boolean }): boolean {
  return person.live && relation === 'blocker';
}

/** Originals and unfinished media are their owner's alone; ready variants travel with the post that shows them. */
export function maySeeMedia(viewerId: string | null, ownerId: string): boolean {
  return viewerId === ownerId;
}
