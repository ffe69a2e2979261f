import { v5 } from 'uuid';
import type { FramePayload } from '../../schemas/notify/frame.ts';
import { defineModel, put, remove, type SeenEvent } from '../engine/model.ts';
import { followsIn } from '../graph/edges.ts';

/**
 * The streaming reactor's facts: who follows whom, and posts that show once their media is ready. They hold ids alone, so
 * an erasure leaves them: nobody is told of who is erased, see stream.erased.ts.
 */
export const streamFacts = defineModel({
  name: 'stream',
  version: 1,
  unserved: true,
  topics: ['follow-events', 'post-events', 'media-events', 'like-events', 'user-events'],
  sqlFile: 'notify/stream.sql',
  registers: ['stream_follow', 'stream_post', 'stream_media'],
  counters: [],
  on: {
    ...followsIn('stream_follow'),
    PostPublished: (event) => [
      put('stream_post', {
        post_id: event.postId,
        author_id: event.authorId,
        media_ids: event.mediaIds,
        trace_id: event.meta.correlation,
      }),
    ],
    PostDeleted: (event) => [remove('stream_post', { post_id: event.postId, author_id: event.authorId })],
    MediaReady: (event) => [put('stream_media', { media_id: event.mediaId, owner_id: event.ownerId })],
    MediaRejected: (event) => [remove('stream_media', { media_id: event.mediaId, owner_id: event.ownerId })],
  },
  // A post, its media and the follows of its author decide together who is told.
  lockOf(event) {
    if ('followeeId' in event) return event.followeeId;
    if (event.type === 'PostPublished' || event.type === 'PostDeleted') return event.authorId;
    return 'ownerId' in event ? event.ownerId : null;
  },
});

/** A frame for one user; a user gets the frame of an event once. */
export interface AddressedFrame {
  userId: string;
  eventId: string;
  payload: FramePayload;
}

/** Names what a user is told once, however often it is said: a like taken back and given again is no news. */
const framesOnce = 'b7a1f3c2-6a54-4d0e-9b1e-3f0a8f6f2d11';

/** Frames that follow from one event alone. */
export function framesOf(event: SeenEvent): AddressedFrame[] {
  const common = { time: new Date(event.meta.time).toISOString(), traceId: event.meta.correlation };
  const to = (userId: string, rest: Pick<FramePayload, 'type' | 'data'>, once?: string): AddressedFrame[] => [
    {
      userId,
      eventId: once ? v5(once, framesOnce) : event.meta.id,
      payload: { ...common, ...rest } as FramePayload,
    },
  ];
  switch (event.type) {
    case 'PostLiked':
      if (event.likerId === event.authorId) return [];
      return to(
        event.authorId,
        { type: 'post.liked', data: { postId: event.postId, likerId: event.likerId } },
        `${event.postId} liked by ${event.likerId}`,
      );
    case 'UserFollowed':
      // Said again it is no news, nor when the follow was granted first.
      if (event.followedAt !== event.meta.time) return [];
      return to(
        event.followeeId,
        { type: 'user.followed', data: { followerId: event.followerId } },
        `${event.followeeId} followed by ${event.followerId} since ${event.followedAt}`,
      );
    case 'FollowRequested':
      if (event.requestedAt !== event.meta.time) return [];
      return to(
        event.followeeId,
        { type: 'follow.requested', data: { followerId: event.followerId } },
        `${event.followeeId} asked by ${event.followerId} since ${event.requestedAt}`,
      );
    case 'FollowRequestApproved':
      return to(event.followerId, { type: 'follow.approved', data: { followeeId: event.followeeId } });
    case 'MediaReady':
      return to(
        event.ownerId,
        { type: 'media.ready', data: { mediaId: event.mediaId } },
        outcomeOf(event.mediaId),
      );
    case 'MediaRejected':
      return to(
        event.ownerId,
        { type: 'media.rejected', data: { mediaId: event.mediaId, code: event.code } },
        outcomeOf(event.mediaId),
      );
    default:
      return [];
  }
}

/** A media has one outcome, though of an upload that lies in the log twice two may be said: one is told. */
function outcomeOf(mediaId: string): string {
  return `outcome of ${mediaId}`;
}

/** What the round touched of the facts that decide who is told of a post. */
export interface TouchedFacts {
  posts: string[];
  media: string[];
  pairs: { follower: string; followee: string }[];
}

export function touchedFacts(events: readonly SeenEvent[]): TouchedFacts {
  const touched: TouchedFacts = { posts: [], media: [], pairs: [] };
  for (const event of events) {
    if (event.type === 'PostPublished') touched.posts.push(event.postId);
    if (event.type === 'MediaReady') touched.media.push(event.mediaId);
    if (event.type === 'UserFollowed' || event.type === 'FollowRequestApproved')
      touched.pairs.push({ follower: event.followerId, followee: event.followeeId });
  }
  return touched;
}
