/**
 * Who may see and do what: the only place that decides it. Pure; facts come in as arguments, and every list, feed,
 * search, stream and command asks here.
 */

/** How the viewer stands to the owner of what is asked for. Blocks and requests join this list with their rows. */
export type Relation = 'nobody' | 'stranger' | 'follower' | 'owner';

export interface PostFacts {
  live: boolean;
  /** Every one of its media is ready. */
  mediaReady: boolean;
}

export function relationOf(viewerId: string | null, ownerId: string, follows: boolean): Relation {
  if (viewerId === null) return 'nobody';
  if (viewerId === ownerId) return 'owner';
  return follows ? 'follower' : 'stranger';
}

/** A post shows when its media is ready; its author sees it from the start. */
export function maySeePost(relation: Relation, post: PostFacts): boolean {
  if (!post.live) return false;
  return post.mediaReady || relation === 'owner';
}

/** Liking needs an account and a post that one may see. */
export function mayLikePost(relation: Relation, post: PostFacts): boolean {
  return relation !== 'nobody' && maySeePost(relation, post);
}

/** Moderators join with their rows. */
export function mayDeletePost(relation: Relation): boolean {
  return relation === 'owner';
}

export function maySeeProfile(_relation: Relation, person: { live: boolean }): boolean {
  return person.live;
}

/** Originals and unfinished media are their owner's alone; ready variants travel with the post that shows them. */
export function maySeeMedia(relation: Relation): boolean {
  return relation === 'owner';
}
