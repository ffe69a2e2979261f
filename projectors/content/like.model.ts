import { defineModel, erase, erasedPeople, put, remove } from '../engine/model.ts';

/** Who likes which post, and exact counts. A like may arrive before its post, or again. */
export const likes = defineModel({
  name: 'likes',
  version: 2,
  topics: ['like-events', 'user-events'],
  sqlFile: 'content/like.sql',
  registers: [erasedPeople, 'post_like'],
  counters: [{ from: 'post_like', into: 'post_like_count', key: { post_id: 'post_id' }, column: 'likes' }],
  erasure: { people: erasedPeople, rows: { post_like: ['liker_id'] } },
  on: {
    PostLiked: (event) => [put('post_like', { post_id: event.postId, liker_id: event.likerId })],
    PostUnliked: (event) => [remove('post_like', { post_id: event.postId, liker_id: event.likerId })],
    UserErased: erase,
  },
});
