import { createCounts, type FactSpec, registerColumns, type Write } from '../spec.ts';

/** An edge is there when its newest event says so; both ends count it. */
export const graph: FactSpec = {
  model: 'graph',
  topics: ['follow-events'],
  tables: [
    {
      name: 'follow',
      key: ['follower_id', 'followee_id'],
      bucketBy: 'follower_id',
      columns: { follower_id: 'plain', followee_id: 'plain', followed_at: 'time', ...registerColumns },
    },
    {
      name: 'follow_count',
      key: ['user_id'],
      bucketBy: 'user_id',
      columns: { user_id: 'plain', followers: 'plain', following: 'plain' },
    },
  ],
  writes(event): Write[] {
    if (event.type !== 'UserFollowed' && event.type !== 'UserUnfollowed') return [];
    const row = {
      follower_id: event.followerId,
      followee_id: event.followeeId,
      followed_at: event.type === 'UserFollowed' ? String(event.followedAt) : null,
    };
    return [{ table: 'follow', row, live: event.type === 'UserFollowed' }];
  },
  neededBy: ({ row }) => [row.follower_id!, row.followee_id!],
  derive(registers, add) {
    const counts = createCounts('user_id', ['followers', 'following']);
    for (const { row, live } of registers.get('follow')!.values()) {
      counts.count(row.followee_id!, 'followers', live);
      counts.count(row.follower_id!, 'following', live);
    }
    for (const row of counts.rows()) add('follow_count', row);
  },
};
