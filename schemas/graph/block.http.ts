import { z } from 'zod';
import { route } from '../route.ts';
import { page, pageQuery, Username, UserSummary } from '../shapes.ts';

const ofUser = z.strictObject({ username: Username });
const blocking = z.object({ blocking: z.boolean() });

export const blockUser = route({
  name: 'blockUser',
  method: 'post',
  path: '/api/users/{username}/block',
  service: 'command',
  tag: 'graph',
  summary: 'Vanish for somebody, and they for me; ends follows both ways; again changes nothing',
  auth: 'user',
  reads: ['accounts', 'graph'],
  idempotencyKey: 'optional',
  params: ofUser,
  success: { status: 200, body: blocking, description: 'blocking is true' },
  problems: ['user_not_found', 'self_block'],
});

export const unblockUser = route({
  name: 'unblockUser',
  method: 'delete',
  path: '/api/users/{username}/block',
  service: 'command',
  tag: 'graph',
  summary: 'Block somebody no longer; brings back no follow; again changes nothing',
  auth: 'user',
  reads: ['accounts', 'graph'],
  idempotencyKey: 'optional',
  params: ofUser,
  success: { status: 200, body: blocking, description: 'blocking is false' },
  problems: ['user_not_found', 'self_block'],
});

export const listBlocks = route({
  name: 'listBlocks',
  method: 'get',
  path: '/api/users/me/blocks',
  service: 'query',
  tag: 'graph',
  summary: 'Whom I have blocked, newest first',
  auth: 'user',
  reads: ['accounts', 'graph', 'media'],
  query: pageQuery,
  success: { status: 200, body: page(UserSummary), description: 'A page of people' },
  problems: [],
});
