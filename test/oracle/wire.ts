import type { Request } from './history.ts';
import { type Command, type Edit, type Look, type Name, type Newcomer, nobody, tagMark } from './plan.ts';

/** How a playing calls people and things. */
export interface Naming {
  tag: string;
  ids: ReadonlyMap<Name, string>;
  people: ReadonlyMap<Name, { username: string }>;
}

/** Of nothing that was ever made. */
const nobodysId = '01900000-0000-7000-8000-000000000000';
const nobodyElsesId = '01900000-0000-7000-8000-000000000001';
export const password = 'Correct-horse-9';

export function idOf(naming: Naming, name: Name): string {
  return name === nobody ? nobodysId : naming.ids.get(name)!;
}

export function usernameOf(naming: Naming, name: Name): string {
  return name === nobody ? `${naming.tag}_nobody` : naming.people.get(name)!.username;
}

export function tagged({ tag }: { tag: string }, text: string): string {
  return text.replaceAll(tagMark, tag);
}

export function registration(naming: Naming, { do: _, ...account }: Newcomer) {
  const { username, email, fullName } = account;
  return {
    ...account,
    username: tagged(naming, username),
    email: tagged(naming, email),
    fullName: tagged(naming, fullName),
  };
}

/** Bytes that `request` announces and play.ts sends. */
export type SizeOf = (content: 'photo' | 'text' | 'nothing') => number;

/** The request that a command or look of `actor` is. */
export function requestOf(naming: Naming, actor: Name, act: Command | Look, sizeOf: SizeOf): Request {
  switch (act.do) {
    case 'login':
      return {
        method: 'POST',
        path: '/api/auth/login',
        body: { identifier: usernameOf(naming, actor), password },
      };
    case 'look-me':
      return { method: 'GET', path: '/api/users/me' };
    case 'look-feed':
      return { method: 'GET', path: '/api/feed?limit=100' };
    case 'look-post':
      return { method: 'GET', path: `/api/posts/${idOf(naming, act.post)}` };
    case 'look-user':
      return { method: 'GET', path: `/api/users/${usernameOf(naming, act.whom)}` };
    default:
      return commandRequest(naming, act, sizeOf);
  }
}

function commandRequest(naming: Naming, act: Command, sizeOf: SizeOf): Request {
  const id = (name: Name): string => idOf(naming, name);
  switch (act.do) {
    case 'register':
      return { method: 'POST', path: '/api/auth/register', body: { ...registration(naming, act), password } };
    case 'follow':
    case 'unfollow':
      return { method: methodOf(act.do), path: `/api/users/${usernameOf(naming, act.whom)}/follow` };
    case 'block':
    case 'unblock':
      return { method: methodOf(act.do), path: `/api/users/${usernameOf(naming, act.whom)}/block` };
    case 'approve':
    case 'decline': {
      const path = `/api/users/me/follow-requests/${usernameOf(naming, act.whom)}/${act.do}`;
      return { method: 'POST', path };
    }
    case 'remove':
      return { method: 'DELETE', path: `/api/users/me/followers/${usernameOf(naming, act.whom)}` };
    case 'like':
    case 'unlike':
      return { method: methodOf(act.do), path: `/api/posts/${id(act.post)}/like` };
    case 'delete':
      return { method: 'DELETE', path: `/api/posts/${id(act.post)}` };
    case 'publish': {
      const { do: _, media, ...rest } = act;
      return { method: 'POST', path: '/api/posts', body: { ...rest, media: media.map(id) } };
    }
    case 'edit':
      return { method: 'PUT', path: '/api/users/me', body: profile(naming, act) };
    case 'request': {
      const { contentType, content, size = sizeOf(content) } = act;
      return { method: 'POST', path: '/api/media/uploads', body: { contentType, fileName: 'a file', size } };
    }
    case 'complete':
      return { method: 'POST', path: `/api/media/uploads/${id(act.media)}/complete` };
  }
}

/** The profile that an edit writes. */
export function profile(naming: Naming, { do: _, avatar, fullName, ...rest }: Edit) {
  const avatarMediaId = avatar === null ? null : idOf(naming, avatar);
  return { ...rest, fullName: tagged(naming, fullName), avatarMediaId };
}

function methodOf(what: 'follow' | 'unfollow' | 'like' | 'unlike' | 'block' | 'unblock'): string {
  return what.startsWith('un') ? 'DELETE' : 'POST';
}

/** Another request of the same route, still of the documented shape. */
export function spoilt(naming: Naming, request: Request): Request {
  if (request.body) {
    const body = { ...request.body } as Record<string, unknown>;
    for (const field of ['fullName', 'caption', 'fileName']) if (field in body) body[field] = 'Another text';
    return { ...request, body };
  }
  const path = request.path
    .replace(/(users\/me\/[\w-]+|users)\/\w+/, `$1/${naming.tag}_nobody_else`)
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, nobodyElsesId);
  return { ...request, path };
}
