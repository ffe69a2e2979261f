import type { Redis } from '../../platform/redis/redis.ts';
import type { TimelineRules } from '../../schemas/content/timeline.keys.ts';
import type { Projection } from '../engine/projection.ts';
import { markPulled } from './timeline.facts.ts';
import { timelines } from './timeline.model.ts';
import { openTimelineStore } from './timeline.redis.ts';
import { epochOf, remakeReaders, runTimelines, type TimelineOptions } from './timeline.runner.ts';

export interface TimelineSettings {
  redis: Redis;
  prefix: string;
  rules: TimelineRules;
  /** Followers above which an author is pulled at read. */
  threshold: number;
}

/** Home feeds, each build with its own tables and its own keys in Redis. */
export function timelineProjection({ redis, prefix, rules, threshold }: TimelineSettings): Projection {
  const optionsOf = (version: number): TimelineOptions => ({
    store: openTimelineStore(redis, prefix, version, rules),
    rules,
    threshold,
  });
  return {
    model: timelines,
    rowsAhead: true,
    run: (engine, installed) => runTimelines(engine, installed, optionsOf(installed.version)),
    filled: (client, { schema }) => markPulled(client, schema, null, threshold),
    async pending(engine, installed) {
      const held = await optionsOf(installed.version).store.readEpoch();
      return held === (await epochOf(engine.pool, installed))
        ? null
        : 'its timelines are being written to Redis';
    },
    repaired: (engine, installed, changes, client) =>
      remakeReaders({ engine, installed, options: optionsOf(installed.version) }, changes, client),
    dropped: (_engine, version) => optionsOf(version).store.drop(),
  };
}
