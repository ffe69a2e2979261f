import type { BoundRoute } from '../../platform/http/bind.ts';
import { likePost, unlikePost } from '../../schemas/content/like.http.ts';
import { relationOf } from '../../schemas/visibility/visibility.ts';
import { type FreeShell, runFree } from '../append/free.ts';
import { type Handle, type ReplyWith, requestOf } from '../guards/bind.ts';
import type { Lookup } from '../guards/lookup.ts';
import { decideLike, decideUnlike, type LikeState } from './like.decide.ts';
import type { KnownPost } from './post.state.ts';

export interface LikeShell extends FreeShell {
  posts: Lookup<KnownPost>;
  reply: ReplyWith;
}

/** Part of F-PO2. */
export function likeRoutes(handle: Handle, shell: LikeShell): BoundRoute[] {
  return [
    handle(likePost, async (call) => {
      const post = await shell.posts.get(call.params.id, call.scope.position);
      const state = stateOf(post, call.viewer.userId);
      const answered = await runFree(shell, requestOf(likePost, call), {
        newestSeen: post?.eventTime ?? 0,
        decide: (context) => decideLike(state, context),
        answer: () => ({ liked: true }),
      });
      return shell.reply(call, answered);
    }),
    handle(unlikePost, async (call) => {
      const post = await shell.posts.get(call.params.id, call.scope.position);
      const state = stateOf(post, call.viewer.userId);
      const answered = await runFree(shell, requestOf(unlikePost, call), {
        newestSeen: post?.eventTime ?? 0,
        decide: (context) => decideUnlike(state, context),
        answer: () => ({ liked: false }),
      });
      return shell.reply(call, answered);
    }),
  ];
}

/** Every account is public so far: that one follows the author opens nothing more. */
function stateOf(post: KnownPost | null, viewerId: string): LikeState {
  return { post, relation: post ? relationOf(viewerId, post.authorId, false) : 'nobody' };
}
