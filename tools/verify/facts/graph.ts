import type { Event } from '../../../schemas/generated/events.ts';
import { type FactSpec, type Row, registerColumns, type Write } from '../spec.ts';
import { edgesOf, edgeWrites } from './edges.ts';
import { erasedPerson, erasedWrites } from './erased.ts';

/** An edge is there when its newest event says so; both ends count it. So are requests and blocks. */
export const graph: FactSpec = {
  model: 'graph',
  definition: 3,
  topics: ['follow-events', 'user-events'],
  erasure: {
    people: 'erased_person',
    rows: {
      follow: { of: ['follower_id', 'followee_id'] },
      follow_request: { of: ['follower_id', 'followee_id'] },
      block: { of: ['blocker_id', 'blocked_id'] },
    },
  },
  tables: [
    erasedPerson,
    {
      name: 'follow',
      key: ['follower_id', 'followee_id'],
      columns: {
        follower_id: 'plain',
        followee_id: 'plain',
        followed_at: 'time',
        approved: 'plain',
        ...registerColumns,
      },
    },
    {
      name: 'follow_request',
      key: ['follower_id', 'followee_id'],
      columns: { follower_id: 'plain', followee_id: 'plain', requested_at: 'time', ...registerColumns },
    },
    {
      name: 'block',
      key: ['blocker_id', 'blocked_id'],
      columns: { blocker_id: 'plain', blocked_id: 'plain', blocked_at: 'time', ...registerColumns },
    },
  ],
  counts: [{ name: 'follow_count', key: 'user_id', columns: ['followers', 'following'] }],
  writes: (event) => [
    ...edgeWrites(event, 'follow', ({ since, approved }) => ({
      approved: since === null ? null : String(approved),
    })),
    ...requestWrites(event),
    ...blockWrites(event),
    ...erasedWrites(event),
  ],
  counted: (table, row) =>
    table === 'follow'
      ? [
          { table: 'follow_count', key: row.followee_id!, column: 'followers', counts: row.live === 'true' },
          { table: 'follow_count', key: row.follower_id!, column: 'following', counts: row.live === 'true' },
        ]
      : [],
};

/** Answers, cancelling and blocks end a request that is older. */
function requestWrites(event: Event): Write[] {
  const row = (ends: { followerId: string; followeeId: string }, at: string | null): Row => ({
    follower_id: ends.followerId,
    followee_id: ends.followeeId,
    requested_at: at,
  });
  if (event.type === 'FollowRequested')
    return [{ table: 'follow_request', row: row(event, String(event.requestedAt)), live: true }];
  // What merely is or is no follow leaves the row of a request as it is.
  if (event.type === 'UserFollowed' || event.type === 'UserUnfollowed') return [];
  const ended = event.type === 'FollowRequestDeclined' ? [event] : edgesOf(event);
  return ended.map((ends) => ({ table: 'follow_request', row: row(ends, null), live: false }));
}

function blockWrites(event: Event): Write[] {
  if (event.type !== 'UserBlocked' && event.type !== 'UserUnblocked') return [];
  const blocked = event.type === 'UserBlocked';
  const row = {
    blocker_id: event.blockerId,
    blocked_id: event.blockedId,
    blocked_at: blocked ? String(event.blockedAt) : null,
  };
  return [{ table: 'block', row, live: blocked }];
}
