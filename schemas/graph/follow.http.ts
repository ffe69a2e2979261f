import { z } from 'zod';
import { route } from '../route.ts';
import { page, pageQuery, Username, UserSummary } from '../shapes.ts';

const ofUser = z.strictObject({ username: Username });
const following = z.object({ following: z.boolean() });

export const followUser = route({
  name: 'followUser',
  method: 'post',
  path: '/api/users/{username}/follow',
  service: 'command',
  tag: 'graph',
  summary: 'Follow somebody; again changes nothing',
  auth: 'user',
  reads: ['accounts', 'graph'],
  idempotencyKey: 'optional',
  params: ofUser,
  success: { status: 200, body: following, description: 'following is true' },
  problems: ['user_not_found', 'self_follow'],
});

export const unfollowUser = route({
  name: 'unfollowUser',
  method: 'delete',
  path: '/api/users/{username}/follow',
  service: 'command',
  tag: 'graph',
  summary: 'Follow somebody no longer; again changes nothing',
  auth: 'user',
  reads: ['accounts'],
  idempotencyKey: 'optional',
  params: ofUser,
  success: { status: 200, body: following, description: 'following is false' },
  problems: ['user_not_found', 'self_follow'],
});

export const listFollowers = route({
  name: 'listFollowers',
  method: 'get',
  path: '/api/users/{username}/followers',
  service: 'query',
  tag: 'graph',
  summary: 'Who follows somebody, newest first',
  auth: 'optional',
  reads: ['accounts', 'graph', 'media'],
  params: ofUser,
  query: pageQuery,
  success: { status: 200, body: page(UserSummary), description: 'A page of people' },
  problems: ['user_not_found'],
});

export const listFollowing = route({
  name: 'listFollowing',
  method: 'get',
  path: '/api/users/{username}/following',
  service: 'query',
  tag: 'graph',
  summary: 'Whom somebody follows, newest first',
  auth: 'optional',
  reads: ['accounts', 'graph', 'media'],
  params: ofUser,
  query: pageQuery,
  success: { status: 200, body: page(UserSummary), description: 'A page of people' },
  problems: ['user_not_found'],
});
