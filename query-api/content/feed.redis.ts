import type { Redis } from '../../platform/redis/redis.ts';
import { timelineKeys } from '../../schemas/content/timeline.keys.ts';
import { type Cursor, newestFirst } from '../cursor.ts';
import type { Scope } from '../scope.ts';

export interface TimelineSource {
  redis: Redis;
  /** Of the Redis that answers now; null while it is not known. */
  runId(): string | null;
  /** Of Redis keys. */
  prefix: string;
  /** Milliseconds that Redis has to answer. */
  limitMs: number;
}

export interface Timeline {
  /** Believed only when Postgres names the same: otherwise Redis has lost something. null after a new start of it. */
  epoch: string | null;
  entries: Cursor[];
}

/** Read beyond a page, because those of the cursor's own millisecond may come before it. */
const spare = 8;

/** Up to `limit` entries of the viewer's timeline after the cursor; null when Redis does not answer in time. */
export async function readTimeline(
  scope: Scope,
  source: TimelineSource,
  after: Cursor | null,
  limit: number,
): Promise<Timeline | null> {
  const keys = timelineKeys(source.prefix, scope.model('timelines').version);
  const key = keys.timeline(scope.viewerId!);
  const reading = readPages(source, { key, epochKey: keys.epoch, lifeKey: keys.life, after, limit });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, source.limitMs, null);
  });
  try {
    return await Promise.race([reading.catch(() => null), late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Range {
  key: string;
  epochKey: string;
  lifeKey: string;
  after: Cursor | null;
  limit: number;
}

/** At once, so that a flush in between can't pair an old epoch with an empty timeline; one command is the cheapest way. */
const pageScript = `return {
  redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[1], '-inf', 'WITHSCORES', 'LIMIT', ARGV[2], ARGV[3]),
  redis.call('GET', KEYS[2]),
  redis.call('GET', KEYS[3]),
}`;

async function readPages({ redis, runId }: TimelineSource, range: Range): Promise<Timeline> {
  const { key, epochKey, lifeKey, after, limit } = range;
  const max = after === null ? '+inf' : after.time;
  const count = limit + spare;
  const entries: Cursor[] = [];
  for (let offset = 0; ; offset += count) {
    const answer = await redis.eval(pageScript, 3, key, epochKey, lifeKey, max, offset, count);
    const [flat, named, life] = answer as [string[], string | null, string | null];
    const own = runId();
    const epoch = own !== null && life === own ? named : null;
    const found = entriesOf(flat);
    entries.push(...found.filter((entry) => after === null || newestFirst(after, entry) < 0));
    if (entries.length >= limit || found.length < count) return { epoch, entries: entries.slice(0, limit) };
  }
}

/** member, score, member, score …; a member is `${postId}:${authorId}`. */
function entriesOf(flat: readonly string[]): Cursor[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => ({
    id: flat[2 * i]!.slice(0, 36),
    time: Number(flat[2 * i + 1]),
  }));
}
