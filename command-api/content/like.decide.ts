import type { PostLiked, PostUnliked } from '../../schemas/generated/events.ts';
import { type Refusal, refuse } from '../../schemas/problems.ts';
import {
  mayLikePost,
  mayUnlikePost,
  type OwnerFacts,
  type Relation,
} from '../../schemas/visibility/visibility.ts';
import { type CommandContext, envelopeOf } from '../append/decision.ts';

/** The post that is meant and its author, null when no such one is known, and how the liker stands to the author. */
export interface LikeState {
  post: { postId: string; authorId: string; live: boolean; mediaReady: boolean } | null;
  author: OwnerFacts | null;
  relation: Relation;
}

/** A post that one may not see is answered like one that isn't there. A repeat appends again, as decideFollow says. */
export function decideLike(
  { post, author, relation }: LikeState,
  context: CommandContext,
): PostLiked | Refusal {
  if (!post || !author || !mayLikePost(relation, author, post)) return refuse('post_not_found');
  return {
    type: 'PostLiked',
    meta: envelopeOf(context),
    postId: post.postId,
    likerId: context.actor,
    authorId: post.authorId,
  };
}

export function decideUnlike(
  { post, author, relation }: LikeState,
  context: CommandContext,
): PostUnliked | Refusal {
  if (!post || !author || !mayUnlikePost(relation, author)) return refuse('post_not_found');
  return {
    type: 'PostUnliked',
    meta: envelopeOf(context),
    postId: post.postId,
    likerId: context.actor,
    authorId: post.authorId,
  };
}
