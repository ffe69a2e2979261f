import { type Gathering, openGathering } from '../../platform/process/gathering.ts';
import { type Redis, watchRunId } from '../../platform/redis/redis.ts';
import { timelineKeys } from '../../schemas/content/timeline.keys.ts';
import { type Cursor, newestFirst } from '../cursor.ts';
import type { Room } from '../room.ts';
import type { Scope } from '../scope.ts';

export interface TimelineSource {
  /** Of Redis keys. */
  prefix: string;
  /** Of the Redis that answers now; null while it is not known. */
  runId(): string | null;
  /** Stretches of a page each, and of whole timelines, by the text of their Stretch. */
  pages: Gathering<Found>;
  wholes: Gathering<Found>;
}

/** Milliseconds that Redis has; then a feed is made from the facts. */
const limitMs = 200;
const tellEveryMs = 1_000;

export function openTimelineSource({
  redis,
  prefix,
  log,
}: Pick<Room, 'redis' | 'prefix' | 'log'>): TimelineSource {
  let toldAt = Number.NEGATIVE_INFINITY;
  // Feeds go on without Redis, only slower: somebody must be told why.
  const tell = (error: Error): never => {
    if (performance.now() - toldAt > tellEveryMs) {
      toldAt = performance.now();
      log.warn({ err: error }, 'timelines can not be read: feeds are made from the facts');
    }
    throw error;
  };
  const load = (stretches: string[]) => readStretches(redis, stretches).catch(tell);
  return {
    prefix,
    runId: watchRunId(redis),
    pages: openGathering(load, pageLimits),
    wholes: openGathering(load, wholeLimits),
  };
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
  const named = [keys.timeline(scope.viewerId!), keys.epoch, keys.life] as const;
  const reading = readPages(source, named, after, limit);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, limitMs, null);
  });
  try {
    return await Promise.race([reading.catch(() => null), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The keys of a timeline, its epoch and the life of its Redis; the highest score; how many to pass by, and to read. */
type Stretch = readonly [
  timeline: string,
  epoch: string,
  life: string,
  max: number | '+inf',
  offset: number,
  count: number,
];

/** member, score, member, score …; the epoch; the run id that Redis had when it was named. */
type Found = [flat: string[], epoch: string | null, life: string | null];

/**
 * Of one script, about 5,000 entries: Redis does nothing else meanwhile. While Redis hangs little waits for it: feeds are
 * made from the facts.
 */
const pageLimits = { maxKeys: 50, maxWaiting: 4 };
const wholeLimits = { maxKeys: 5, maxWaiting: 20 };
/** Entries of a stretch that is no page. */
const largestPage = 200;

/** Each at once, so that a flush in between can't pair an old epoch with an empty timeline. */
const stretchScript = `local found = {}
for i = 0, #KEYS / 3 - 1 do
  found[i + 1] = {
    redis.call('ZREVRANGEBYSCORE', KEYS[3 * i + 1], ARGV[3 * i + 1], '-inf', 'WITHSCORES',
      'LIMIT', ARGV[3 * i + 2], ARGV[3 * i + 3]),
    redis.call('GET', KEYS[3 * i + 2]),
    redis.call('GET', KEYS[3 * i + 3]),
  }
end
return found`;

/** One command for the readers of the same moment. */
async function readStretches(redis: Redis, texts: readonly string[]): Promise<Map<string, Found>> {
  const stretches = texts.map((text) => JSON.parse(text) as Stretch);
  const keys = stretches.flatMap((stretch) => stretch.slice(0, 3) as string[]);
  const ranges = stretches.flatMap((stretch) => stretch.slice(3));
  const found = (await redis.eval(stretchScript, keys.length, ...keys, ...ranges)) as Found[];
  return new Map(texts.map((text, n) => [text, found[n]!]));
}

async function readPages(
  { runId, pages, wholes }: TimelineSource,
  keys: readonly [string, string, string],
  after: Cursor | null,
  limit: number,
): Promise<Timeline> {
  const max = after === null ? '+inf' : after.time;
  const count = limit + spare;
  const gather = count > largestPage ? wholes : pages;
  const entries: Cursor[] = [];
  for (let offset = 0; ; offset += count) {
    const stretch = JSON.stringify([...keys, max, offset, count] satisfies Stretch);
    const [flat, named, life] = (await gather([stretch])).get(stretch)!;
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
