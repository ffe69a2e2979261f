import { type FactSpec, registerColumns, type Write } from '../spec.ts';
import { erasedPerson, erasedWrites } from './erased.ts';

/** A like is there when the pair's newest event says so; its post counts it. */
export const likes: FactSpec = {
  model: 'likes',
  definition: 2,
  topics: ['like-events', 'user-events'],
  erasure: { people: 'erased_person', rows: { post_like: { of: ['liker_id'] } } },
  tables: [
    erasedPerson,
    {
      name: 'post_like',
      key: ['post_id', 'liker_id'],
      columns: { post_id: 'plain', liker_id: 'plain', ...registerColumns },
    },
  ],
  counts: [{ name: 'post_like_count', key: 'post_id', columns: ['likes'] }],
  writes(event): Write[] {
    if (event.type !== 'PostLiked' && event.type !== 'PostUnliked') return erasedWrites(event);
    const row = { post_id: event.postId, liker_id: event.likerId };
    return [{ table: 'post_like', row, live: event.type === 'PostLiked' }];
  },
  counted: (table, row) =>
    table === 'post_like'
      ? [{ table: 'post_like_count', key: row.post_id!, column: 'likes', counts: row.live === 'true' }]
      : [],
};
