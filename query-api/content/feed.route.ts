import type { BoundRoute } from '../../platform/http/bind.ts';
import { readFeed } from '../../schemas/content/feed.http.ts';
import type { Room } from '../room.ts';
import { feedEntries } from './feed.reads.ts';
import { openTimelineSource } from './feed.redis.ts';
import { servePosts } from './post.page.ts';

export function feedRoutes(room: Room): BoundRoute[] {
  const { handle, publicUrl } = room;
  const source = openTimelineSource(room);
  return [
    handle(readFeed, async ({ query, scope }) => {
      const skeleton = feedEntries.bind(null, scope, source);
      return servePosts({ scope, publicUrl, skeleton }, query);
    }),
  ];
}
