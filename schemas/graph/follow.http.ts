import { z } from 'zod';
import { route } from '../route.ts';
import { page, pageQuery, Username, UserSummary } from '../shapes.ts';

const ofUser = z.strictObject({ username: Username });
const following = z.object({
  following: z.boolean(),
  requested: z.boolean().describe('The account is private and has not answered'),
});

export const followUser = route({
  name: 'followUser',
  method: 'post',
  path: '/api/users/{username}/follow',
  service: 'command',
  tag: 'graph',
  summary: 'Follow somebody, or ask to where the account is private; again changes nothing',
  auth: 'user',
  reads: ['accounts', 'graph'],
  idempotencyKey: 'optional',
  params: ofUser,
  success: { status: 200, body: following, description: 'One of both is true' },
  problems: ['user_not_found', 'self_follow'],
});

export const unfollowUser = route({
  name: 'unfollowUser',
  method: 'delete',
  path: '/api/users/{username}/follow',
  service: 'command',
  tag: 'graph',
  summary: 'Follow somebody, or ask to, no longer; again changes nothing',
  auth: 'user',
  reads: ['accounts', 'graph'],
  idempotencyKey: 'optional',
  params: ofUser,
  success: { status: 200, body: following, description: 'Both are false' },
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

export const removeFollower = route({
  name: 'removeFollower',
  method: 'delete',
  path: '/api/users/me/followers/{username}',
  service: 'command',
  tag: 'graph',
  summary: 'Take the follow of a follower of mine away; again changes nothing',
  auth: 'user',
  reads: ['accounts', 'graph'],
  idempotencyKey: 'optional',
  params: ofUser,
  success: { status: 200, body: z.object({ follower: z.boolean() }), description: 'follower is false' },
  problems: ['user_not_found', 'self_follow'],
});
