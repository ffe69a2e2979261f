import { z } from 'zod';
import { line, plainNumber, webAddress } from './text.ts';

/** Shapes that several contracts share. JSON is camelCase, times are RFC 3339 UTC, ids are UUIDs (v7). */

export const Uuid = z.uuid().toLowerCase();
export const Time = z.iso.datetime().describe('RFC 3339, UTC');
export const Username = z.string().regex(/^[A-Za-z0-9_]{3,30}$/, 'must be 3 to 30 of A–Z, a–z, 0–9 and _');
export const FullName = line({ min: 5, max: 100 });
export const Gender = line({ min: 1, max: 30 });
export const Website = webAddress({ max: 200 });

export const Cursor = z
  .string()
  .min(1)
  .max(200)
  .describe('Opaque; the nextCursor of the page before. Stays right when views are rebuilt.');

/** Every list takes these; contracts with more extend it. */
export const pageQuery = z.strictObject({
  cursor: Cursor.optional(),
  limit: plainNumber({ min: 1, max: 100, fallback: 20 }),
});

export function page<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe('null on the last page'),
  });
}

/** Who somebody is, in a word: beside a post, in a list. */
export const Author = z.object({
  id: Uuid,
  username: Username,
  fullName: z.string(),
  avatarUrl: z.url().nullable(),
});

const IsPrivate = z.boolean().describe('What they post shows only to followers whom they let in');

export const UserSummary = Author.extend({
  isPrivate: IsPrivate,
  followedByViewer: z.boolean(),
  requestedByViewer: z.boolean().describe('The viewer asks to follow, and waits for an answer'),
});

export const User = UserSummary.extend({
  bio: z.string(),
  website: z.string().nullable(),
  postsCount: z.int().min(0),
  followersCount: z.int().min(0),
  followingCount: z.int().min(0),
});

/** What only the person sees of themselves. */
const ownFields = {
  email: z.string(),
  dateOfBirth: z.iso.date(),
  gender: z.string().nullable(),
  avatarMediaId: Uuid.nullable(),
};

export const Me = User.extend(ownFields);

/** What a write on one's account answers: all that the person wrote, nothing that is counted or derived. */
export const Account = z.object({
  id: Uuid,
  username: Username,
  fullName: z.string(),
  bio: z.string(),
  website: z.string().nullable(),
  isPrivate: IsPrivate,
  ...ownFields,
});

export const MediaVariant = z.object({
  name: z.string().describe('thumbnail, small, medium, large'),
  format: z.string().describe('jpeg, webp'),
  width: z.int(),
  height: z.int(),
  url: z.url(),
});

/** The part of a media that shows; empty until it is ready. */
const mediaFields = {
  id: Uuid,
  width: z.int().nullable(),
  height: z.int().nullable(),
  placeholder: z.string().nullable().describe('thumbhash, base64'),
  dominantColor: z.string().nullable().describe('#rrggbb'),
  variants: z.array(MediaVariant),
};

export const PostMedia = z.object(mediaFields);

export const MediaState = z.enum(['requested', 'uploaded', 'ready', 'rejected']);

export const Media = z.object({
  ...mediaFields,
  state: MediaState,
  reason: z.string().nullable().describe('A stable code when the state is rejected'),
});

/** What a post is made of, whoever looks. */
const postFields = {
  id: Uuid,
  caption: z.string(),
  location: z.string().nullable(),
  isReel: z.boolean(),
  hideCounts: z.boolean(),
  commentsOff: z.boolean(),
  publishedAt: Time,
};

export const Post = z.object({
  ...postFields,
  author: Author,
  media: z.array(PostMedia),
  state: z.enum(['processing', 'ready', 'failed']),
  likeCount: z.int().min(0).nullable().describe('null for others when the author hides counts'),
  likedByViewer: z.boolean(),
});

/** What publishing answers: the post as it was written. Read it with the answer's X-Position to see it as others do. */
export const PublishedPost = z.object({ ...postFields, authorId: Uuid, media: z.array(Uuid) });
