import type { BoundRoute } from '../../platform/http/bind.ts';
import { likePost, unlikePost } from '../../schemas/content/like.http.ts';
import { type FreeShell, runFree } from '../append/free.ts';
import type { TieShell } from '../graph/tie.state.ts';
import { type Handle, type ReplyWith, requestOf } from '../guards/bind.ts';
import type { Lookup } from '../guards/lookup.ts';
import { decideLike, decideUnlike } from './like.decide.ts';
import { type KnownPost, loadPostState } from './post.state.ts';

export interface LikeShell extends FreeShell, TieShell {
  posts: Lookup<KnownPost>;
  reply: ReplyWith;
}

/** Part of F-PO2. */
export function likeRoutes(handle: Handle, shell: LikeShell): BoundRoute[] {
  return [
    handle(likePost, async (call) => {
      const state = await loadPostState(shell, call.viewer.userId, call.params.id, call.scope.position);
      const answered = await runFree(shell, requestOf(likePost, call), {
        newestSeen: state.newestSeen,
        decide: (context) => decideLike(state, context),
        answer: () => ({ liked: true }),
      });
      return shell.reply(call, answered);
    }),
    handle(unlikePost, async (call) => {
      const state = await loadPostState(shell, call.viewer.userId, call.params.id, call.scope.position);
      const answered = await runFree(shell, requestOf(unlikePost, call), {
        newestSeen: state.newestSeen,
        decide: (context) => decideUnlike(state, context),
        answer: () => ({ liked: false }),
      });
      return shell.reply(call, answered);
    }),
  ];
}
