import { z } from 'zod';
import { route } from '../route.ts';
import {
  Account,
  FullName,
  Gender,
  Me,
  page,
  pageQuery,
  User,
  Username,
  UserSummary,
  Uuid,
  Website,
} from '../shapes.ts';
import { line, lines } from '../text.ts';

export const readMe = route({
  name: 'readMe',
  method: 'get',
  path: '/api/users/me',
  service: 'query',
  tag: 'account',
  summary: 'My own profile',
  auth: 'user',
  reads: ['accounts', 'graph', 'posts', 'media'],
  success: { status: 200, body: Me, description: 'The profile with what only its owner sees' },
  problems: ['user_not_found'],
});

export const editProfile = route({
  name: 'editProfile',
  method: 'put',
  path: '/api/users/me',
  service: 'command',
  tag: 'account',
  summary: 'Write my whole profile',
  auth: 'user',
  reads: ['accounts', 'media'],
  idempotencyKey: 'optional',
  body: z.strictObject({
    fullName: FullName,
    bio: lines({ min: 0, max: 150 }),
    website: Website.nullable(),
    gender: Gender.nullable(),
    avatarMediaId: Uuid.nullable(),
    isPrivate: z.boolean().optional().describe('As it is when left out, so that forgetting it opens nothing'),
  }),
  success: { status: 200, body: Account, description: 'The account after the edit' },
  problems: ['user_not_found', 'media_not_found', 'media_not_uploaded', 'media_rejected'],
});

export const eraseAccount = route({
  name: 'eraseAccount',
  method: 'delete',
  path: '/api/users/me',
  service: 'command',
  tag: 'account',
  summary: 'Delete my account for good; the password is asked for again',
  auth: 'user',
  reads: [],
  body: z.strictObject({ password: z.string().min(1).max(200) }),
  success: { status: 204, description: 'It is gone: the token is refused from now on' },
  problems: ['credentials_wrong', 'outcome_unknown'],
});

export const readUser = route({
  name: 'readUser',
  method: 'get',
  path: '/api/users/{username}',
  service: 'query',
  tag: 'account',
  summary: "Somebody's profile",
  auth: 'optional',
  reads: ['accounts', 'graph', 'posts', 'media'],
  params: z.strictObject({ username: Username }),
  success: { status: 200, body: User, description: 'The profile' },
  problems: ['user_not_found'],
});

export const searchUsers = route({
  name: 'searchUsers',
  method: 'get',
  path: '/api/users',
  service: 'query',
  tag: 'account',
  summary: 'People whose username or full name begins with the text, newest account first',
  auth: 'optional',
  reads: ['accounts', 'graph', 'media'],
  query: pageQuery.extend({ q: line({ min: 1, max: 100 }) }),
  success: { status: 200, body: page(UserSummary), description: 'A page of people' },
  problems: [],
});
