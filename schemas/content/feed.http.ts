import { route } from '../route.ts';
import { Post, page, pageQuery } from '../shapes.ts';

export const readFeed = route({
  name: 'readFeed',
  method: 'get',
  path: '/api/feed',
  service: 'query',
  tag: 'content',
  summary: 'My home feed: posts of whom I follow and my own, newest first',
  auth: 'user',
  reads: ['accounts', 'graph', 'posts', 'likes', 'media', 'timelines'],
  query: pageQuery,
  success: { status: 200, body: page(Post), description: 'A page of posts' },
  problems: [],
});
