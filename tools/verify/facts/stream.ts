import { type FactSpec, registerColumns, type Write } from '../spec.ts';
import { edgeWrites } from './edges.ts';

/** The streaming reactor's facts. What it told whom is an effect, which comes at least once and is in no register. */
export const stream: FactSpec = {
  model: 'stream',
  definition: 1,
  unserved: true,
  topics: ['follow-events', 'post-events', 'media-events', 'like-events'],
  tables: [
    {
      name: 'stream_follow',
      key: ['follower_id', 'followee_id'],
      columns: { follower_id: 'plain', followee_id: 'plain', followed_at: 'time', ...registerColumns },
    },
    {
      name: 'stream_post',
      key: ['post_id'],
      columns: {
        post_id: 'plain',
        author_id: 'plain',
        media_ids: 'ids',
        trace_id: 'plain',
        ...registerColumns,
      },
    },
    {
      name: 'stream_media',
      key: ['media_id'],
      columns: { media_id: 'plain', owner_id: 'plain', ...registerColumns },
    },
  ],
  writes(event): Write[] {
    switch (event.type) {
      case 'PostPublished': {
        const said = { media_ids: event.mediaIds.join(','), trace_id: event.meta.correlation };
        const row = { post_id: event.postId, author_id: event.authorId, ...said };
        return [{ table: 'stream_post', row, live: true }];
      }
      case 'PostDeleted':
        return [
          { table: 'stream_post', row: { post_id: event.postId, author_id: event.authorId }, live: false },
        ];
      case 'MediaReady':
      case 'MediaRejected': {
        const row = { media_id: event.mediaId, owner_id: event.ownerId };
        return [{ table: 'stream_media', row, live: event.type === 'MediaReady' }];
      }
      default:
        return edgeWrites(event, 'stream_follow');
    }
  },
};
