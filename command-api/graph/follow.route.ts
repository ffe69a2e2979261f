import type { BoundRoute } from '../../platform/http/bind.ts';
import { followUser, removeFollower, unfollowUser } from '../../schemas/graph/follow.http.ts';
import { type FreeShell, runFree } from '../append/free.ts';
import { type Handle, type ReplyWith, requestOf } from '../guards/bind.ts';
import { decideFollow, decideRemoveFollower, decideUnfollow } from './follow.decide.ts';
import { standingOf, standingTo, standingToFollow, type TieShell } from './tie.state.ts';

export interface GraphShell extends FreeShell, TieShell {
  reply: ReplyWith;
}

/** F-SO1, and part of F-SO3. */
export function followRoutes(handle: Handle, shell: GraphShell): BoundRoute[] {
  return [
    handle(followUser, async (call) => {
      const { viewer, params, scope } = call;
      const state = await standingToFollow(shell, viewer.userId, params.username, scope.position);
      const following = state.relation === 'follower' || state.person?.privateSince === null;
      const answered = await runFree(shell, requestOf(followUser, call), {
        newestSeen: state.newestSeen,
        decide: (context) => decideFollow(state, context),
        answer: () => ({ following, requested: !following }),
      });
      return shell.reply(call, answered);
    }),
    handle(unfollowUser, async (call) => {
      const { viewer, params, scope } = call;
      const state = await standingTo(shell, viewer.userId, params.username, scope.position);
      const answered = await runFree(shell, requestOf(unfollowUser, call), {
        newestSeen: state.newestSeen,
        decide: (context) => decideUnfollow(state, context),
        answer: () => ({ following: false, requested: false }),
      });
      return shell.reply(call, answered);
    }),
    handle(removeFollower, async (call) => {
      const { viewer, params, scope } = call;
      const state = await standingOf(shell, params.username, viewer.userId, scope.position);
      const answered = await runFree(shell, requestOf(removeFollower, call), {
        newestSeen: state.newestSeen,
        decide: (context) => decideRemoveFollower(state, context),
        answer: () => ({ follower: false }),
      });
      return shell.reply(call, answered);
    }),
  ];
}
