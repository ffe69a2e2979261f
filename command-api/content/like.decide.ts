import type { PostLiked, PostUnliked } from '../../schemas/generated/events.ts';
import { type Refusal, refuse } from '../../schemas/problems.ts';
import { mayLikePost, type Relation } from '../../schemas/visibility/visibility.ts';
import { type CommandContext, envelopeOf } from '../append/decision.ts';

/** The post that is meant, and how the liker stands to its author; null when no such post is known. */
export interface LikeState {
  post: { postId: string; authorId: string; live: boolean; mediaReady: boolean } | null;
  relation: Relation;
}

/** A post that one may not see is answered like one that isn't there. A repeat appends again, as decideFollow says. */
export function decideLike({ post, relation }: LikeState, context: CommandContext): PostLiked | Refusal {
  if (!post || !mayLikePost(relation, post)) return refuse('post_not_found');
  return {
    type: 'PostLiked',
    meta: envelopeOf(context),
    postId: post.postId,
    likerId: context.actor,
    authorId: post.authorId,
  };
}

/** A like can be taken back from a post that is deleted or hidden by now. */
export function decideUnlike({ post }: LikeState, context: CommandContext): PostUnliked | Refusal {
  if (!post) return refuse('post_not_found');
  return {
    type: 'PostUnliked',
    meta: envelopeOf(context),
    postId: post.postId,
    likerId: context.actor,
    authorId: post.authorId,
  };
}
