import { defineModel, put, remove } from '../engine/model.ts';

/** Who likes which post, and exact counts. A like may arrive before its post, or again. */
export const likes = defineModel({
  name: 'likes',
  version: 1,
  topics: ['like-events'],
  sqlFile: 'content/like.sql',
  registers: ['post_like'],
  counters: [{ from: 'post_like', into: 'post_like_count', key: { post_id: 'post_id' }, column: 'likes' }],
  on: {
    PostLiked: (event) => [put('post_like', { post_id: event.postId, liker_id: event.likerId })],
    PostUnliked: (event) => [remove('post_like', { post_id: event.postId, liker_id: event.likerId })],
  },
});
