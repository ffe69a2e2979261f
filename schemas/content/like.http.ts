import { z } from 'zod';
import { route } from '../route.ts';
import { page, pageQuery, UserSummary, Uuid } from '../shapes.ts';

const onePost = z.strictObject({ id: Uuid });
const liked = z.object({ liked: z.boolean() });

export const likePost = route({
  name: 'likePost',
  method: 'post',
  path: '/api/posts/{id}/like',
  service: 'command',
  tag: 'content',
  summary: 'Like a post; again changes nothing',
  auth: 'user',
  reads: ['accounts', 'graph', 'posts'],
  idempotencyKey: 'optional',
  params: onePost,
  success: { status: 200, body: liked, description: 'liked is true' },
  problems: ['post_not_found'],
});

export const unlikePost = route({
  name: 'unlikePost',
  method: 'delete',
  path: '/api/posts/{id}/like',
  service: 'command',
  tag: 'content',
  summary: 'Like a post no longer; again changes nothing',
  auth: 'user',
  reads: ['accounts', 'graph', 'posts'],
  idempotencyKey: 'optional',
  params: onePost,
  success: { status: 200, body: liked, description: 'liked is false' },
  problems: ['post_not_found'],
});

export const listLikes = route({
  name: 'listLikes',
  method: 'get',
  path: '/api/posts/{id}/likes',
  service: 'query',
  tag: 'content',
  summary: 'Who likes a post, newest first',
  auth: 'optional',
  reads: ['accounts', 'graph', 'posts', 'likes', 'media'],
  params: onePost,
  query: pageQuery,
  success: { status: 200, body: page(UserSummary), description: 'A page of people' },
  problems: ['post_not_found'],
});
