import type { z } from 'zod';
import type { Author, Me, User, UserSummary } from '../../schemas/shapes.ts';
import type { Tie } from '../../schemas/visibility/visibility.ts';
import type { FollowCounts } from '../graph/follow.reads.ts';
import { presentAvatar } from '../media/media.present.ts';
import type { MediaRow } from '../media/media.reads.ts';
import type { OwnRow, UserRow } from './user.reads.ts';
import { relationTo } from './user.rules.ts';

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
  viewerId: string | null;
  media: ReadonlyMap<string, MediaRow>;
  /** The viewer's. */
  ties: ReadonlyMap<string, Tie>;
  publicUrl: string;
}

export function presentSummary(
  user: UserRow,
  { viewerId, media, ties, publicUrl }: Beside,
): z.input<typeof UserSummary> {
  const relation = relationTo(viewerId, user, ties);
  return {
    ...presentAuthor(user, media, publicUrl),
    isPrivate: user.privateSince !== null,
    followedByViewer: relation === 'follower',
    requestedByViewer: relation === 'requested',
  };
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
