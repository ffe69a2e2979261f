import type { BoundRoute } from '../../platform/http/bind.ts';
import { watchRunId } from '../../platform/redis/redis.ts';
import { readFeed } from '../../schemas/content/feed.http.ts';
import type { Room } from '../room.ts';
import { feedEntries } from './feed.reads.ts';
import { servePosts } from './post.page.ts';

/** Redis has so long; then the feed is made from the facts. */
const redisLimitMs = 200;

export function feedRoutes({ handle, publicUrl, redis, prefix }: Room): BoundRoute[] {
  const source = { redis, runId: watchRunId(redis), prefix, limitMs: redisLimitMs };
  return [
    handle(readFeed, async ({ query, scope }) => {
      const skeleton = feedEntries.bind(null, scope, source);
      return servePosts({ scope, publicUrl, skeleton }, query);
    }),
  ];
}
