import type { Counter } from 'prom-client';
import type { BoundRoute } from '../../platform/http/bind.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';
import { deletePost, publishPost } from '../../schemas/content/post.http.ts';
import type { CommandContext } from '../append/decision.ts';
import { type FreeShell, runFree } from '../append/free.ts';
import type { TieShell } from '../graph/tie.state.ts';
import { type Handle, type ReplyWith, requestOf } from '../guards/bind.ts';
import type { Lookup } from '../guards/lookup.ts';
import type { Models } from '../guards/models.ts';
import { loadMedia, newestOf } from '../media/media.state.ts';
import { decideDelete, decidePublish, type PublishCommand } from './post.decide.ts';
import { type KnownPost, loadPostState } from './post.state.ts';

export interface PostShell extends FreeShell, TieShell {
  pool: Queryable;
  models: Models;
  posts: Lookup<KnownPost>;
  reply: ReplyWith;
  /** posts_created_total */
  created: Counter;
}

/** F-PO1. */
export function postRoutes(handle: Handle, shell: PostShell): BoundRoute[] {
  return [
    handle(publishPost, async (call) => {
      const { media: mediaIds, ...rest } = call.body;
      const command: PublishCommand = { ...rest, mediaIds };
      const media = await loadMedia(shell.pool, shell.models, mediaIds);
      const answered = await runFree(shell, requestOf(publishPost, call), {
        newestSeen: newestOf(media),
        decide: (context) => decidePublish({ media }, command, context),
        answer: (context) => publishedBody(command, context),
      });
      if (answered.appended) shell.created.inc();
      return shell.reply(call, answered);
    }),
    handle(deletePost, async (call) => {
      const state = await loadPostState(shell, call.viewer.userId, call.params.id, call.scope.position);
      const answered = await runFree(shell, requestOf(deletePost, call), {
        newestSeen: state.newestSeen,
        decide: (context) => decideDelete(state, context),
        answer: () => undefined,
      });
      return shell.reply(call, answered);
    }),
  ];
}

function publishedBody({ mediaIds, ...rest }: PublishCommand, { newId, actor, time }: CommandContext) {
  return {
    id: newId,
    ...rest,
    publishedAt: new Date(time).toISOString(),
    authorId: actor,
    media: mediaIds,
  };
}
