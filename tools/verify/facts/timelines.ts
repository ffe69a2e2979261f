import { type FactSpec, registerColumns, type Write } from '../spec.ts';
import { edgeWrites } from './edges.ts';
import { erasedPerson, erasedWrites } from './erased.ts';

/** The timelines' own facts. What they amount to for each reader is in feeds.ts. */
export const timelines: FactSpec = {
  model: 'timelines',
  definition: 2,
  topics: ['follow-events', 'post-events', 'user-events'],
  // The epoch names the copy in Redis; who was ever above the threshold depends on the order of arrival.
  besides: ['timeline_state', 'timeline_pulled'],
  rowsFirst: true,
  erasure: {
    people: 'erased_person',
    rows: {
      timeline_follow: { of: ['follower_id', 'followee_id'] },
      timeline_post: { of: ['author_id'], keeps: ['author_id'] },
    },
  },
  tables: [
    erasedPerson,
    {
      name: 'timeline_follow',
      key: ['follower_id', 'followee_id'],
      bucketBy: 'follower_id',
      columns: { follower_id: 'plain', followee_id: 'plain', followed_at: 'time', ...registerColumns },
    },
    {
      name: 'timeline_post',
      key: ['post_id'],
      bucketBy: 'author_id',
      columns: { post_id: 'plain', author_id: 'plain', ...registerColumns },
    },
  ],
  counts: [{ name: 'timeline_follower_count', key: 'author_id', columns: ['followers'] }],
  writes(event): Write[] {
    if (event.type !== 'PostPublished' && event.type !== 'PostDeleted')
      return [...edgeWrites(event, 'timeline_follow'), ...erasedWrites(event)];
    const row = { post_id: event.postId, author_id: event.authorId };
    return [{ table: 'timeline_post', row, live: event.type === 'PostPublished' }];
  },
  counted: (table, row) =>
    table === 'timeline_follow'
      ? [
          {
            table: 'timeline_follower_count',
            key: row.followee_id!,
            column: 'followers',
            counts: row.live === 'true',
          },
        ]
      : [],
};
