import { z } from 'zod';
import { route } from '../route.ts';
import { page, pageQuery, Username, UserSummary } from '../shapes.ts';

const ofRequester = z.strictObject({ username: Username });
const answered = z.object({ approved: z.boolean() });

export const listFollowRequests = route({
  name: 'listFollowRequests',
  method: 'get',
  path: '/api/users/me/follow-requests',
  service: 'query',
  tag: 'graph',
  summary: 'Who asks to follow me, newest first',
  auth: 'user',
  reads: ['accounts', 'graph', 'media'],
  query: pageQuery,
  success: { status: 200, body: page(UserSummary), description: 'A page of people' },
  problems: [],
});

export const approveFollowRequest = route({
  name: 'approveFollowRequest',
  method: 'post',
  path: '/api/users/me/follow-requests/{username}/approve',
  service: 'command',
  tag: 'graph',
  summary: 'Let somebody who asks follow me; again changes nothing',
  auth: 'user',
  reads: ['accounts', 'graph'],
  idempotencyKey: 'optional',
  params: ofRequester,
  success: { status: 200, body: answered, description: 'approved is true' },
  problems: ['user_not_found', 'follow_request_not_found'],
});

export const declineFollowRequest = route({
  name: 'declineFollowRequest',
  method: 'post',
  path: '/api/users/me/follow-requests/{username}/decline',
  service: 'command',
  tag: 'graph',
  summary: 'Do not let somebody who asks follow me; again changes nothing',
  auth: 'user',
  reads: ['accounts', 'graph'],
  idempotencyKey: 'optional',
  params: ofRequester,
  success: { status: 200, body: answered, description: 'approved is false' },
  problems: ['user_not_found', 'self_follow'],
});
