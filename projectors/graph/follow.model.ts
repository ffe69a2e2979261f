import { defineModel, isoTime, put, remove } from '../engine/model.ts';

/** Who follows whom since when, and exact counts on both sides. */
export const graph = defineModel({
  name: 'graph',
  version: 1,
  topics: ['follow-events'],
  sqlFile: 'graph/follow.sql',
  registers: ['follow'],
  counters: [
    { from: 'follow', into: 'follow_count', key: { user_id: 'followee_id' }, column: 'followers' },
    { from: 'follow', into: 'follow_count', key: { user_id: 'follower_id' }, column: 'following' },
  ],
  on: {
    UserFollowed: (event) => [
      put('follow', {
        follower_id: event.followerId,
        followee_id: event.followeeId,
        followed_at: isoTime(event.followedAt),
      }),
    ],
    UserUnfollowed: (event) => [
      remove('follow', { follower_id: event.followerId, followee_id: event.followeeId }),
    ],
  },
});
