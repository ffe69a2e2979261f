import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { signAccess } from '../../command-api/account/sessions.ts';
import type { RouteContract } from '../../schemas/route.ts';
import type { CallOptions, Person } from '../harness/client.ts';
import type { World } from '../harness/world.ts';

/** One request, ready to be spoilt. */
export interface Request extends CallOptions {
  path: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes
  body?: any;
  headers: Record<string, string>;
}

/** Whom and what the requests are about; all of it exists and may be read and written by ann, who is private. */
export interface Cast {
  ann: Person;
  ben: Person;
  /** Whom ann blocks; who asks to follow her. */
  cat: Person;
  dan: Person;
  /** Whose account may be deleted. */
  leaver: Person;
  /** Of ann's: a ready media, one that waits for its bytes, one that was rejected. */
  photo: string;
  requested: string;
  rejected: string;
  post: string;
  bensPost: string;
  refreshToken: string;
}

/** A request to each route that is accepted, by the route's name; another one each time where that is needed. */
export function goodRequest(route: RouteContract, cast: Cast): Request {
  const { ann, ben, cat, dan, photo, post, bensPost } = cast;
  const name = `u_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  const bodies: Record<string, unknown> = {
    register: {
      username: name,
      email: `${name}@example.org`,
      password: ann.password,
      fullName: 'Somebody new',
      dateOfBirth: '1990-05-17',
    },
    login: { identifier: ann.username, password: ann.password },
    refresh: { refreshToken: cast.refreshToken },
    eraseAccount: { password: ann.password },
    editProfile: { fullName: 'Ann Example', bio: 'Hi', website: null, gender: null, avatarMediaId: photo },
    publishPost: { caption: 'Again', media: [photo] },
    requestUpload: { contentType: 'image/png', fileName: 'a.png', size: 1000 },
  };
  const values: Record<string, string> = { username: ben.username, userId: ben.id, id: bensPost };
  if (route.name.endsWith('lockUser')) values.username = cat.username;
  if (route.name === 'approveFollowRequest') values.username = dan.username;
  if (route.name === 'deletePost') values.id = post;
  if (['completeUpload', 'readMedia'].includes(route.name)) values.id = photo;
  const address = route.path.replaceAll(/\{(\w+)\}/g, (_, key: string) => values[key]!);
  const path = route.name === 'searchUsers' ? `${address}?q=${ann.username}` : address;
  return {
    path,
    body: bodies[route.name],
    headers: route.idempotencyKey ? { 'idempotency-key': randomUUID() } : {},
    ...(route.auth === 'none' ? {} : { token: ann.token }),
  };
}

/** Where nothing of the path's parameters can be right. */
export function pathOf(route: RouteContract, parameter: string): string {
  return route.path.replaceAll(/\{\w+\}/g, parameter);
}

/** Signs access tokens with a key of its own that the world believes: for times and people that login never gives. */
export async function openSigner(
  world: World,
): Promise<(userId: string, expiresInSeconds: number) => string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = randomUUID();
  await world.owner.query(
    `INSERT INTO vault.signing_key (kid, public_jwk, private_wrapped, created_at) VALUES ($1, $2, $3, '2020-01-01')`,
    [kid, { ...publicKey.export({ format: 'jwk' }), kid }, Buffer.alloc(1)],
  );
  return (userId, expiresInSeconds) =>
    signAccess(
      { sessionId: randomUUID(), userId },
      { kid, privateKey },
      world.env.PUBLIC_URL!,
      expiresInSeconds,
    );
}
