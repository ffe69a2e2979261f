import type { BoundRoute } from '../../platform/http/bind.ts';
import { followUser, unfollowUser } from '../../schemas/graph/follow.http.ts';
import { findPerson, type Person } from '../account/user.state.ts';
import { type FreeShell, runFree } from '../append/free.ts';
import { type Handle, type ReplyWith, requestOf } from '../guards/bind.ts';
import type { Lookup } from '../guards/lookup.ts';
import { decideFollow, decideUnfollow } from './follow.decide.ts';
import { edgeKey, type KnownFollow } from './follow.state.ts';

export interface FollowShell extends FreeShell {
  people: Lookup<Person>;
  follows: Lookup<KnownFollow>;
  reply: ReplyWith;
}

/** F-SO1. */
export function followRoutes(handle: Handle, shell: FollowShell): BoundRoute[] {
  return [
    handle(followUser, async (call) => {
      const { position } = call.scope;
      const followee = await findPerson(shell.people, call.params.username, position);
      const edge = edgeKey(call.viewer!.userId, followee?.userId ?? call.viewer!.userId);
      const standing = await shell.follows.get(edge, position);
      const answered = await runFree(shell, requestOf(followUser, call), {
        newestSeen: Math.max(followee?.eventTime ?? 0, standing?.eventTime ?? 0),
        decide: (context) => decideFollow({ followee, followedAt: standing?.followedAt ?? null }, context),
        answer: () => ({ following: true }),
      });
      return shell.reply(call, answered);
    }),
    handle(unfollowUser, async (call) => {
      const followee = await findPerson(shell.people, call.params.username, call.scope.position);
      const answered = await runFree(shell, requestOf(unfollowUser, call), {
        newestSeen: followee?.eventTime ?? 0,
        decide: (context) => decideUnfollow({ followee }, context),
        answer: () => ({ following: false }),
      });
      return shell.reply(call, answered);
    }),
  ];
}
