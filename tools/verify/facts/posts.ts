import { createCounts, type FactSpec, registerColumns, type Write } from '../spec.ts';

/** A post shows when it is live and each of its media is ready; its author's count is of those that show. */
export const posts: FactSpec = {
  model: 'posts',
  topics: ['post-events', 'media-events'],
  tables: [
    {
      name: 'post',
      key: ['post_id'],
      bucketBy: 'author_id',
      columns: {
        post_id: 'plain',
        author_id: 'plain',
        caption: 'plain',
        media_ids: 'ids',
        location: 'plain',
        is_reel: 'plain',
        hide_counts: 'plain',
        comments_off: 'plain',
        visible: 'plain',
        ...registerColumns,
      },
      personal: ['caption', 'location'],
    },
    {
      name: 'post_media',
      key: ['media_id'],
      bucketBy: 'owner_id',
      columns: { media_id: 'plain', owner_id: 'plain', ...registerColumns },
    },
    {
      name: 'author_post_count',
      key: ['author_id'],
      bucketBy: 'author_id',
      columns: { author_id: 'plain', posts: 'plain' },
    },
  ],
  writes(event): Write[] {
    if (event.type === 'MediaReady' || event.type === 'MediaRejected') {
      const row = { media_id: event.mediaId, owner_id: event.ownerId };
      return [{ table: 'post_media', row, live: event.type === 'MediaReady' }];
    }
    if (event.type !== 'PostPublished' && event.type !== 'PostDeleted') return [];
    const ids = { post_id: event.postId, author_id: event.authorId };
    if (event.type === 'PostDeleted' || event.caption === null)
      return [{ table: 'post', row: ids, live: false }];
    const said = {
      caption: event.caption,
      media_ids: event.mediaIds.join(','),
      location: event.location,
      is_reel: String(event.isReel),
      hide_counts: String(event.hideCounts),
      comments_off: String(event.commentsOff),
    };
    return [{ table: 'post', row: { ...ids, ...said }, live: true }];
  },
  // A post and its media have one owner, so one pass has all of both.
  neededBy: ({ row }) => [(row.author_id ?? row.owner_id)!],
  derive(registers, add) {
    const media = registers.get('post_media')!;
    const counts = createCounts('author_id', ['posts']);
    for (const { row, live } of registers.get('post')!.values()) {
      const all = row.media_ids ? row.media_ids.split(',') : [];
      const visible = live && all.every((id) => media.get(id)?.live === true);
      row.visible = String(visible);
      counts.count(row.author_id!, 'posts', visible);
    }
    for (const row of counts.rows()) add('author_post_count', row);
  },
};
