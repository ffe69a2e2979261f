import type { What } from './fact.ts';
import type { Call, Played } from './history.ts';
import type { Recorded } from './log.ts';
import { type Name, thingOf } from './plan.ts';
import { idOf, profile, registration } from './wire.ts';

/** What an accepted command made true, and what its record must say of it. */
export interface Said {
  fact: What;
  /** Those that are not personal. */
  fields: Record<string, unknown>;
}

/** `body`: how it was answered. What is personal is told by the client; the log tells times, and no more. */
export function factOf(played: Played, call: Call, body: Call['body'], record: Recorded): Said {
  const { act, step, actor } = call;
  const id = (name: Name): string => idOf(played, name);
  const self = step < 0 ? '' : id(actor);
  switch (act.do) {
    case 'register': {
      const { username, email, dateOfBirth, fullName, gender } = registration(played, act);
      const own = { fullName, gender, bio: '', website: null, avatarMediaId: null, privateSince: null };
      const person = body.user.id;
      const fact = { what: 'registered' as const, person, username, email, dateOfBirth, profile: own };
      return { fact, fields: { userId: person } };
    }
    case 'edit': {
      const { isPrivate, ...own } = profile(played, act);
      const privateSince = record.fields.privateSince as number | null;
      const since = isPrivate ? (privateSince ?? 'a time') : isPrivate === false ? null : privateSince;
      const fields = { userId: self, avatarMediaId: own.avatarMediaId, privateSince: since };
      return { fact: { what: 'edited', person: self, profile: { ...own, privateSince } }, fields };
    }
    case 'follow':
    case 'unfollow':
      return edge(record, self, id(act.whom));
    case 'approve':
    case 'decline':
    case 'remove':
      return edge(record, id(act.whom), self);
    case 'block':
    case 'unblock': {
      const pair = { blocker: self, blocked: id(act.whom) };
      const fields = { blockerId: self, blockedId: pair.blocked };
      if (act.do === 'unblock') return { fact: { what: 'unblocked', ...pair }, fields };
      return { fact: { what: 'blocked', ...pair, since: Number(record.fields.blockedAt) }, fields };
    }
    case 'like':
    case 'unlike': {
      const post = id(act.post);
      const author = id(played.calls.find((one) => thingOf(one.step) === act.post)!.actor);
      const what = act.do === 'like' ? 'liked' : 'unliked';
      return { fact: { what, post, liker: self }, fields: { postId: post, likerId: self, authorId: author } };
    }
    case 'delete': {
      const post = id(act.post);
      return { fact: { what: 'deleted', post, author: self }, fields: { postId: post, authorId: self } };
    }
    case 'publish': {
      const { do: _, media: names, ...rest } = act;
      const media = names.map(id);
      const { caption: _c, location: _l, ...flags } = rest;
      const fields = { ...flags, postId: body.id, authorId: self, mediaIds: media };
      return { fact: { what: 'published', post: body.id, author: self, media, ...rest }, fields };
    }
    case 'request':
      return upload('requested', body.mediaId, self);
    case 'complete':
      return upload('uploaded', id(act.media), self);
    default:
      throw new Error(`${act.do} has no event`);
  }
}

/** What a follow or its end amounts to depends on what others have done: the type of the event tells. */
const edges = {
  UserFollowed: 'followed',
  FollowRequested: 'asked',
  UserUnfollowed: 'unfollowed',
  FollowRequestApproved: 'granted',
  FollowRequestDeclined: 'declined',
  FollowRequestCancelled: 'cancelled',
  FollowerRemoved: 'removed',
} as const;

function edge({ type, fields: own }: Recorded, follower: string, followee: string): Said {
  const fields = { followerId: follower, followeeId: followee };
  const what = edges[type as keyof typeof edges];
  if (what === 'followed' || what === 'asked') {
    const since = Number(what === 'followed' ? own.followedAt : own.requestedAt);
    return { fact: { what, follower, followee, since }, fields };
  }
  return { fact: { what, follower, followee }, fields };
}

function upload(what: 'requested' | 'uploaded', media: string, owner: string): Said {
  return { fact: { what, media, owner }, fields: { mediaId: media, ownerId: owner } };
}
