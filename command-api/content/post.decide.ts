import type { PostDeleted, PostPublished } from '../../schemas/generated/events.ts';
import { type Refusal, refuse } from '../../schemas/problems.ts';
import {
  mayDeletePost,
  maySeePost,
  type OwnerFacts,
  type Relation,
} from '../../schemas/visibility/visibility.ts';
import { type CommandContext, envelopeOf, type Unchanged, unchanged } from '../append/decision.ts';
import { type MediaFacts, refusalForUse } from '../media/media.decide.ts';

export interface PublishCommand {
  caption: string;
  /** 1–10, in the order they show. */
  mediaIds: string[];
  location: string | null;
  isReel: boolean;
  hideCounts: boolean;
  commentsOff: boolean;
}

/** What is known of the media that the post names. */
export interface PublishState {
  media: ReadonlyMap<string, MediaFacts>;
}

/** Media may still be in the pipeline: the post shows when the last of them is ready. */
export function decidePublish(
  { media }: PublishState,
  command: PublishCommand,
  context: CommandContext,
): PostPublished | Refusal {
  for (const mediaId of command.mediaIds) {
    const refusal = refusalForUse(mediaId, media.get(mediaId), context.actor);
    if (refusal) return refusal;
  }
  return {
    type: 'PostPublished',
    meta: envelopeOf(context),
    postId: context.newId,
    authorId: context.actor,
    ...command,
  };
}

export interface DeleteState {
  post: { postId: string; authorId: string; live: boolean; mediaReady: boolean } | null;
  author: OwnerFacts | null;
  relation: Relation;
}

/** Who may not see the post is told that it isn't there; who may see it but not delete it is told so. */
export function decideDelete(
  { post, author, relation }: DeleteState,
  context: CommandContext,
): PostDeleted | Refusal | Unchanged {
  if (!post) return refuse('post_not_found');
  if (!mayDeletePost(relation)) {
    const seen = author !== null && maySeePost(relation, author, post);
    return refuse(seen ? 'not_allowed' : 'post_not_found');
  }
  if (!post.live) return unchanged;
  return { type: 'PostDeleted', meta: envelopeOf(context), postId: post.postId, authorId: post.authorId };
}
