import type { BoundRoute } from '../../platform/http/bind.ts';
import { blockUser, unblockUser } from '../../schemas/graph/block.http.ts';
import { runFree } from '../append/free.ts';
import { type Handle, requestOf } from '../guards/bind.ts';
import { decideBlock, decideUnblock } from './block.decide.ts';
import type { GraphShell } from './follow.route.ts';
import { standingOf, standingTo } from './tie.state.ts';

/** Part of F-SO3. */
export function blockRoutes(handle: Handle, shell: GraphShell): BoundRoute[] {
  return [
    handle(blockUser, async (call) => {
      const { viewer, params, scope } = call;
      // It ends the other one's follow, too, so it must be later than that.
      const [state, theirs] = await Promise.all([
        standingTo(shell, viewer.userId, params.username, scope.position),
        standingOf(shell, params.username, viewer.userId, scope.position),
      ]);
      const answered = await runFree(shell, requestOf(blockUser, call), {
        newestSeen: Math.max(state.newestSeen, theirs.newestSeen),
        decide: (context) => decideBlock({ ...state, blockedAt: state.tie.blockedAt }, context),
        answer: () => ({ blocking: true }),
      });
      return shell.reply(call, answered);
    }),
    handle(unblockUser, async (call) => {
      const { viewer, params, scope } = call;
      const state = await standingTo(shell, viewer.userId, params.username, scope.position);
      const answered = await runFree(shell, requestOf(unblockUser, call), {
        newestSeen: state.newestSeen,
        decide: (context) => decideUnblock(state, context),
        answer: () => ({ blocking: false }),
      });
      return shell.reply(call, answered);
    }),
  ];
}
