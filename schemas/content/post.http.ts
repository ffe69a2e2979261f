import { z } from 'zod';
import { route } from '../route.ts';
import { Post, PublishedPost, page, pageQuery, Username, Uuid } from '../shapes.ts';
import { line, lines } from '../text.ts';

const onePost = z.strictObject({ id: Uuid });

export const publishPost = route({
  name: 'publishPost',
  method: 'post',
  path: '/api/posts',
  service: 'command',
  tag: 'content',
  summary: 'Publish a post; it shows to others once all of its media is ready',
  auth: 'user',
  reads: ['media'],
  idempotencyKey: 'required',
  body: z.strictObject({
    caption: lines({ min: 0, max: 2200 }).default(''),
    media: z
      .array(Uuid)
      .min(1)
      .max(10)
      .refine((ids) => new Set(ids).size === ids.length, 'must not name a media twice')
      .meta({ uniqueItems: true, description: 'Ids of uploaded media of mine, in the order to show' }),
    location: line({ min: 1, max: 100 }).nullable().default(null),
    isReel: z.boolean().default(false),
    hideCounts: z.boolean().default(false),
    commentsOff: z.boolean().default(false),
  }),
  bodyLimit: 256 * 1024,
  success: { status: 201, body: PublishedPost, description: 'The post as it was written' },
  problems: ['media_not_found', 'media_not_uploaded', 'media_rejected', 'event_too_large'],
});

export const deletePost = route({
  name: 'deletePost',
  method: 'delete',
  path: '/api/posts/{id}',
  service: 'command',
  tag: 'content',
  summary: 'Delete a post of mine, for good',
  auth: 'user',
  reads: ['accounts', 'graph', 'posts'],
  idempotencyKey: 'optional',
  params: onePost,
  success: { status: 204, description: 'It is gone' },
  problems: ['post_not_found', 'not_allowed'],
});

/** Everything that a post is shown with. */
const readsPosts = ['accounts', 'graph', 'posts', 'likes', 'media'] as const;

export const readPost = route({
  name: 'readPost',
  method: 'get',
  path: '/api/posts/{id}',
  service: 'query',
  tag: 'content',
  summary: 'One post',
  auth: 'optional',
  reads: readsPosts,
  params: onePost,
  success: { status: 200, body: Post, description: 'The post' },
  problems: ['post_not_found'],
});

export const listUserPosts = route({
  name: 'listUserPosts',
  method: 'get',
  path: '/api/users/{username}/posts',
  service: 'query',
  tag: 'content',
  summary: "Somebody's posts, newest first",
  auth: 'optional',
  reads: readsPosts,
  params: z.strictObject({ username: Username }),
  query: pageQuery,
  success: { status: 200, body: page(Post), description: 'A page of posts' },
  problems: ['user_not_found'],
});

export const listPostsByUserId = route({
  name: 'listPostsByUserId',
  method: 'get',
  path: '/api/posts/user/{userId}',
  service: 'query',
  tag: 'content',
  summary: "Somebody's posts by their id, newest first",
  auth: 'optional',
  reads: readsPosts,
  params: z.strictObject({ userId: Uuid }),
  query: pageQuery,
  success: { status: 200, body: page(Post), description: 'A page of posts' },
  problems: ['user_not_found'],
});
