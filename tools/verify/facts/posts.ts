import { type FactSpec, type Row, registerColumns, type Write } from '../spec.ts';
import { erasedPerson, erasedWrites } from './erased.ts';

/** A post shows when it is live and each of its media is ready; its author's count is of those that show. */
export const posts: FactSpec = {
  model: 'posts',
  definition: 2,
  topics: ['post-events', 'media-events', 'user-events'],
  erasure: {
    people: 'erased_person',
    rows: {
      post: { of: ['author_id'], keeps: ['author_id'] },
      post_media: { of: ['owner_id'], keeps: ['owner_id'] },
    },
  },
  tables: [
    erasedPerson,
    {
      name: 'post',
      key: ['post_id'],
      // A post and its media have one owner, so one bucket has all of both.
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
      completed: ['visible'],
      personal: { columns: ['caption', 'location'], owner: 'author_id' },
    },
    {
      name: 'post_media',
      key: ['media_id'],
      bucketBy: 'owner_id',
      columns: { media_id: 'plain', owner_id: 'plain', ...registerColumns },
    },
  ],
  counts: [{ name: 'author_post_count', key: 'author_id', columns: ['posts'] }],
  writes(event): Write[] {
    if (event.type === 'MediaReady' || event.type === 'MediaRejected') {
      const row = { media_id: event.mediaId, owner_id: event.ownerId };
      return [{ table: 'post_media', row, live: event.type === 'MediaReady' }];
    }
    if (event.type !== 'PostPublished' && event.type !== 'PostDeleted') return erasedWrites(event);
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
  complete(table, row, registers) {
    if (table !== 'post') return row;
    const ready = mediaOf(row).every((id) => registers.get('post_media', id)?.live === 'true');
    return { ...row, visible: String(row.live === 'true' && ready) };
  },
  follows: (table, row) => (table === 'post' ? mediaOf(row).map((id) => ['post_media', id]) : []),
  counted: (table, row) =>
    table === 'post'
      ? [
          {
            table: 'author_post_count',
            key: row.author_id!,
            column: 'posts',
            counts: row.visible === 'true',
          },
        ]
      : [],
};

function mediaOf(row: Row): string[] {
  return row.media_ids ? row.media_ids.split(',') : [];
}
