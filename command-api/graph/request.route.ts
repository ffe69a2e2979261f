import type { BoundRoute } from '../../platform/http/bind.ts';
import { approveFollowRequest, declineFollowRequest } from '../../schemas/graph/request.http.ts';
import { runFree } from '../append/free.ts';
import { type Handle, requestOf } from '../guards/bind.ts';
import type { GraphShell } from './follow.route.ts';
import { decideApprove, decideDecline } from './request.decide.ts';
import { standingOf } from './tie.state.ts';

/** F-SO2. */
export function requestRoutes(handle: Handle, shell: GraphShell): BoundRoute[] {
  return [
    handle(approveFollowRequest, async (call) => {
      const { viewer, params, scope } = call;
      const state = await standingOf(shell, params.username, viewer.userId, scope.position);
      const answered = await runFree(shell, requestOf(approveFollowRequest, call), {
        newestSeen: state.newestSeen,
        decide: (context) => decideApprove(state, context),
        answer: () => ({ approved: true }),
      });
      return shell.reply(call, answered);
    }),
    handle(declineFollowRequest, async (call) => {
      const { viewer, params, scope } = call;
      const state = await standingOf(shell, params.username, viewer.userId, scope.position);
      const answered = await runFree(shell, requestOf(declineFollowRequest, call), {
        newestSeen: state.newestSeen,
        decide: (context) => decideDecline(state, context),
        answer: () => ({ approved: false }),
      });
      return shell.reply(call, answered);
    }),
  ];
}
