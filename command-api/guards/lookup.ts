import { LRUCache } from 'lru-cache';
import type { PositionToken } from '../../platform/log/position.ts';
import { openGathering } from '../../platform/process/gathering.ts';

/**
 * Facts that many commands ask for (does the post exist, who is behind the name): a bounded cache in front of one
 * query for all that is asked in the same moment.
 */
export interface Lookup<V> {
  /** null when there is none. The caller has waited for the position already. */
  get(key: string, position: PositionToken | null): Promise<V | null>;
  /** The same past the cache. */
  anew(key: string): Promise<V | null>;
}

export interface LookupOptions<V> {
  /** Topics of the model behind the facts: a position in one of them makes older entries too old. */
  topics: readonly string[];
  /** Names the version of the model that is served; another one empties the cache. */
  version(): string;
  load(keys: string[]): Promise<Map<string, V>>;
  /** Whether what was found may be kept: what denies something that can come to be at any moment is asked for anew. */
  keep?(value: V): boolean;
}

/** Facts that protect people are never older than this, in milliseconds (DESIGN §5). */
const maxAgeMs = 1_000;
const maxEntries = 50_000;

interface Entry<V> {
  value: V;
  /** When its query began. */
  at: number;
}

export function openLookup<V>(options: LookupOptions<V>): Lookup<V> {
  const { keep = () => true } = options;
  // Only what exists is kept: something that has just come to be must not be denied for a second.
  const cache = new LRUCache<string, Entry<V>>({ max: maxEntries });
  const freshness = openFreshness(options.topics);
  const gather = openGathering(async (keys) => {
    const at = performance.now();
    const found = await options.load(keys);
    return new Map([...found].map(([key, value]): [string, Entry<V>] => [key, { value, at }]));
  });
  let version = '';

  const clearOnSwitch = (): void => {
    if (version === options.version()) return;
    version = options.version();
    cache.clear();
    freshness.clear();
  };
  const load = async (key: string): Promise<V | null> => {
    const found = (await gather([key])).get(key);
    if (found && keep(found.value)) cache.set(key, found);
    return found?.value ?? null;
  };
  return {
    anew(key) {
      clearOnSwitch();
      return load(key);
    },
    async get(key, position) {
      clearOnSwitch();
      const now = performance.now();
      const notBefore = Math.max(now - maxAgeMs, freshness.since(position, now));
      const known = cache.get(key);
      if (known && known.at >= notBefore) return known.value;
      return load(key);
    },
  };
}

/**
 * When the model is known to have passed a position: a caller who has waited for it may be given entries that were
 * read after that moment, and none from before (DESIGN §5).
 */
function openFreshness(topics: readonly string[]) {
  const passed = new Map<string, { offset: bigint; at: number }>();
  const passedAt = (id: string, offset: bigint, now: number): number => {
    const known = passed.get(id);
    if (known && known.offset >= offset) return known.at;
    passed.set(id, { offset, at: now });
    return now;
  };
  return {
    since(position: PositionToken | null, now: number): number {
      let since = 0;
      for (const { topic, partition, offset } of position?.positions ?? []) {
        if (topics.includes(topic)) since = Math.max(since, passedAt(`${topic}/${partition}`, offset, now));
      }
      return since;
    },
    clear: () => passed.clear(),
  };
}
