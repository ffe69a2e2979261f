import type { z } from 'zod';
import type { Author, Me, User, UserSummary } from '../../schemas/shapes.ts';
import type { FollowCounts } from '../graph/follow.reads.ts';
import { presentAvatar } from '../media/media.present.ts';
import type { MediaRow } from '../media/media.reads.ts';
import type { OwnRow, UserRow } from './user.reads.ts';

export interface Counts extends FollowCounts {
  posts: number;
}

export function presentAuthor(
  user: UserRow,
  media: ReadonlyMap<string, MediaRow>,
  publicUrl: string,
): z.input<typeof Author> {
  const avatar = user.avatarMediaId === null ? undefined : media.get(user.avatarMediaId);
  const { id, username, fullName } = user;
  return { id, username, fullName, avatarUrl: presentAvatar(id, avatar, publicUrl) };
}

/** What people are presented with, besides themselves. */
export interface Beside {
  media: ReadonlyMap<string, MediaRow>;
  followed: ReadonlySet<string>;
  publicUrl: string;
}

export function presentSummary(
  user: UserRow,
  { media, followed, publicUrl }: Beside,
): z.input<typeof UserSummary> {
  return { ...presentAuthor(user, media, publicUrl), followedByViewer: followed.has(user.id) };
}

export function presentUser(user: UserRow, counts: Counts, beside: Beside): z.input<typeof User> {
  return {
    ...presentSummary(user, beside),
    bio: user.bio,
    website: user.website,
    postsCount: counts.posts,
    followersCount: counts.followers,
    followingCount: counts.following,
  };
}

export function presentMe(user: UserRow, own: OwnRow, counts: Counts, beside: Beside): z.input<typeof Me> {
  return { ...presentUser(user, counts, beside), ...own, avatarMediaId: user.avatarMediaId };
}
