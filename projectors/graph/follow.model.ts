import { type Change, defineModel, erase, erasedPeople, isoTime, put, remove } from '../engine/model.ts';
import { bothWays, edgeKey, followsIn } from './edges.ts';

const follows = followsIn('follow', (approved) => ({ approved }));

const noRequest = (edge: { followerId: string; followeeId: string }): Change =>
  remove('follow_request', edgeKey(edge));

const blockKey = (event: { blockerId: string; blockedId: string }): Record<string, unknown> => ({
  blocker_id: event.blockerId,
  blocked_id: event.blockedId,
});

/**
 * Who follows whom since when, with exact counts on both sides; who asks to; who has blocked whom. A request and a follow
 * of one pair are rows of their own: asking again takes nothing from a follow that was granted meanwhile. A request waits
 * while it is newer than the follow's row; readers compare the two, so that a follow need not leave a second row.
 */
export const graph = defineModel({
  name: 'graph',
  version: 3,
  topics: ['follow-events', 'user-events'],
  sqlFile: 'graph/follow.sql',
  registers: [erasedPeople, 'follow', 'follow_request', 'block'],
  counters: [
    { from: 'follow', into: 'follow_count', key: { user_id: 'followee_id' }, column: 'followers' },
    { from: 'follow', into: 'follow_count', key: { user_id: 'follower_id' }, column: 'following' },
  ],
  erasure: {
    people: erasedPeople,
    rows: {
      follow: ['follower_id', 'followee_id'],
      follow_request: ['follower_id', 'followee_id'],
      block: ['blocker_id', 'blocked_id'],
    },
  },
  on: {
    ...follows,
    FollowRequested: (event) => [
      put('follow_request', { ...edgeKey(event), requested_at: isoTime(event.requestedAt) }),
    ],
    FollowRequestApproved: (event) => [...follows.FollowRequestApproved(event), noRequest(event)],
    FollowRequestDeclined: (event) => [noRequest(event)],
    FollowRequestCancelled: (event) => [...follows.FollowRequestCancelled(event), noRequest(event)],
    FollowerRemoved: (event) => [...follows.FollowerRemoved(event), noRequest(event)],
    UserBlocked: (event) => [
      ...follows.UserBlocked(event),
      ...bothWays(event.blockerId, event.blockedId).map(noRequest),
      put('block', { ...blockKey(event), blocked_at: isoTime(event.blockedAt) }),
    ],
    UserUnblocked: (event) => [remove('block', blockKey(event))],
    UserErased: erase,
  },
});
