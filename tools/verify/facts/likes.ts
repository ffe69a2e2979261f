import { createCounts, type FactSpec, registerColumns, type Write } from '../spec.ts';

/** A like is there when the pair's newest event says so; its post counts it. */
export const likes: FactSpec = {
  model: 'likes',
  topics: ['like-events'],
  tables: [
    {
      name: 'post_like',
      key: ['post_id', 'liker_id'],
      bucketBy: 'post_id',
      columns: { post_id: 'plain', liker_id: 'plain', ...registerColumns },
    },
    {
      name: 'post_like_count',
      key: ['post_id'],
      bucketBy: 'post_id',
      columns: { post_id: 'plain', likes: 'plain' },
    },
  ],
  writes(event): Write[] {
    if (event.type !== 'PostLiked' && event.type !== 'PostUnliked') return [];
    const row = { post_id: event.postId, liker_id: event.likerId };
    return [{ table: 'post_like', row, live: event.type === 'PostLiked' }];
  },
  neededBy: ({ row }) => [row.post_id!],
  derive(registers, add) {
    const counts = createCounts('post_id', ['likes']);
    for (const { row, live } of registers.get('post_like')!.values())
      counts.count(row.post_id!, 'likes', live);
    for (const row of counts.rows()) add('post_like_count', row);
  },
};
