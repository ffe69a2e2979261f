import type { z } from 'zod';
import type { Post } from '../../schemas/shapes.ts';
import { maySeePost } from '../../schemas/visibility/visibility.ts';
import type { People } from '../account/user.page.ts';
import { presentAuthor } from '../account/user.present.ts';
import { relationTo } from '../account/user.rules.ts';
import { presentPostMedia } from '../media/media.present.ts';
import type { MediaRow } from '../media/media.reads.ts';
import type { LikesOf } from './like.reads.ts';
import type { PostRow } from './post.reads.ts';

/** Posts hydrated for a page. `media` holds the posts' media and their authors' pictures. */
export interface Posts extends People {
  posts: Map<string, PostRow>;
  likes: Map<string, LikesOf>;
}

/**
 * Whether the viewer may see the post. Its models may be at different places of the log: a post whose author or media
 * are not known here yet is not shown until they are.
 */
export function maySeePostOf(viewerId: string | null, id: string, hydrated: Posts): boolean {
  const post = hydrated.posts.get(id);
  const author = post && hydrated.users.get(post.authorId);
  if (!author) return false;
  const relation = relationTo(viewerId, author, hydrated.ties);
  const mediaReady = post.visible && stateOf(post, hydrated.media) === 'ready';
  return maySeePost(relation, author, { live: post.live, mediaReady });
}

type PostBody = z.input<typeof Post>;
/** What differs by who looks, and what changes with every like. */
type ForViewer = 'likeCount' | 'likedByViewer';

/** Only for posts that the rules let through. */
export function presentPost(
  viewerId: string | null,
  id: string,
  hydrated: Posts,
  publicUrl: string,
): PostBody {
  return { ...presentForAll(id, hydrated, publicUrl), ...presentForViewer(viewerId, id, hydrated) };
}

export function presentForViewer(
  viewerId: string | null,
  id: string,
  hydrated: Posts,
): Pick<PostBody, ForViewer> {
  const { hideCounts, authorId } = hydrated.posts.get(id)!;
  const likes = hydrated.likes.get(id);
  const countHidden = hideCounts && viewerId !== authorId;
  return {
    likeCount: countHidden ? null : (likes?.count ?? 0),
    likedByViewer: likes?.byViewer ?? false,
  };
}

/** The same for whoever may see the post. */
export function presentForAll(id: string, hydrated: Posts, publicUrl: string): Omit<PostBody, ForViewer> {
  const post = hydrated.posts.get(id)!;
  return {
    id,
    author: presentAuthor(hydrated.users.get(post.authorId)!, hydrated.media, publicUrl),
    caption: post.caption,
    media: post.mediaIds.map((mediaId) => presentPostMedia(mediaId, hydrated.media.get(mediaId), publicUrl)),
    location: post.location,
    isReel: post.isReel,
    hideCounts: post.hideCounts,
    commentsOff: post.commentsOff,
    state: stateOf(post, hydrated.media),
    publishedAt: post.publishedAt.toISOString(),
  };
}

function stateOf(post: PostRow, media: ReadonlyMap<string, MediaRow>): 'processing' | 'ready' | 'failed' {
  const states = post.mediaIds.map((id) => media.get(id)?.state);
  if (states.includes('rejected')) return 'failed';
  return states.every((state) => state === 'ready') ? 'ready' : 'processing';
}
