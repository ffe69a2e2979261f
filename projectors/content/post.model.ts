import { type Change, defineModel, erase, erasedPeople, put, remove } from '../engine/model.ts';

const idsOf = (changes: readonly Change[], table: string, column: string): unknown[] => [
  ...new Set(changes.filter((change) => change.table === table).map((change) => change.row[column])),
];

/**
 * Settles `visible` of these posts, and moves their authors' counts by those whose visibility changed. Every author
 * touched has a row, whatever the split into rounds.
 */
const settleVisibility = (s: string, keys: string): string => `
  WITH touched AS (${keys}), settled AS (
    SELECT p.post_id, p.live AND NOT EXISTS (
      SELECT FROM unnest(p.media_ids) AS m (media_id) LEFT JOIN ${s}.post_media r USING (media_id)
      WHERE r.live IS NOT TRUE
    ) AS visible
    FROM ${s}.post p JOIN touched USING (post_id)
  ), changed AS (
    UPDATE ${s}.post p SET visible = n.visible FROM settled n WHERE p.post_id = n.post_id
    RETURNING p.author_id, new.visible::int - old.visible::int AS moved
  )
  INSERT INTO ${s}.author_post_count AS c (author_id, posts)
  SELECT author_id, sum(moved) FROM changed GROUP BY author_id ORDER BY author_id
  ON CONFLICT (author_id) DO UPDATE SET posts = c.posts + excluded.posts`;

/** Posts, and whether they show: a post shows once every one of its media is ready, in whatever order that arrives. */
export const posts = defineModel({
  name: 'posts',
  version: 2,
  topics: ['post-events', 'media-events', 'user-events'],
  sqlFile: 'content/post.sql',
  registers: [erasedPeople, 'post', 'post_media'],
  counters: [
    {
      from: 'post',
      into: 'author_post_count',
      key: { author_id: 'author_id' },
      column: 'posts',
      of: 'visible',
    },
  ],
  erasure: { people: erasedPeople, rows: { post: ['author_id'], post_media: ['owner_id'] } },
  on: {
    PostPublished: (event) =>
      event.caption === null
        ? [remove('post', { post_id: event.postId, author_id: event.authorId })]
        : [
            put('post', {
              post_id: event.postId,
              author_id: event.authorId,
              caption: event.caption,
              media_ids: event.mediaIds,
              location: event.location,
              is_reel: event.isReel,
              hide_counts: event.hideCounts,
              comments_off: event.commentsOff,
            }),
          ],
    PostDeleted: (event) => [remove('post', { post_id: event.postId, author_id: event.authorId })],
    MediaReady: (event) => [put('post_media', { media_id: event.mediaId, owner_id: event.ownerId })],
    MediaRejected: (event) => [remove('post_media', { media_id: event.mediaId, owner_id: event.ownerId })],
    UserErased: erase,
  },
  // A post and its media have the same owner.
  lockOf: (event) => ('authorId' in event ? event.authorId : 'ownerId' in event ? event.ownerId : null),
  derivations: [
    {
      // A round's posts, themselves or by their media.
      touched: (s) => `
        SELECT post_id FROM ${s}.post WHERE post_id = ANY($1::uuid[]) OR media_ids && $2::uuid[]
        ORDER BY post_id FOR UPDATE`,
      every: (s) => `SELECT post_id FROM ${s}.post`,
      settle: settleVisibility,
      params: (changes) => [idsOf(changes, 'post', 'post_id'), idsOf(changes, 'post_media', 'media_id')],
    },
  ],
});
