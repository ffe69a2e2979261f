import { type FactSpec, registerColumns, type Write } from '../spec.ts';

/** An edge is there when its newest event says so; both ends count it. */
export const graph: FactSpec = {
  model: 'graph',
  definition: 1,
  topics: ['follow-events'],
  tables: [
    {
      name: 'follow',
      key: ['follower_id', 'followee_id'],
      columns: { follower_id: 'plain', followee_id: 'plain', followed_at: 'time', ...registerColumns },
    },
  ],
  counts: [{ name: 'follow_count', key: 'user_id', columns: ['followers', 'following'] }],
  writes(event): Write[] {
    if (event.type !== 'UserFollowed' && event.type !== 'UserUnfollowed') return [];
    const row = {
      follower_id: event.followerId,
      followee_id: event.followeeId,
      followed_at: event.type === 'UserFollowed' ? String(event.followedAt) : null,
    };
    return [{ table: 'follow', row, live: event.type === 'UserFollowed' }];
  },
  counted: (_table, row) => [
    { table: 'follow_count', key: row.followee_id!, column: 'followers', counts: row.live === 'true' },
    { table: 'follow_count', key: row.follower_id!, column: 'following', counts: row.live === 'true' },
  ],
};
