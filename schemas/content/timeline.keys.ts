/** What a timeline is (DESIGN §6), for those who write it and those who read it. */
export interface TimelineRules {
  /** Entries kept, newest first. */
  length: number;
  /** Posts from before the follow that a new follower gets. */
  backfill: number;
}

export const timelineRules: TimelineRules = { length: 1_000, backfill: 20 };

/** The names of the timelines in Redis: written by the projectors, read by query-api. */
export function timelineKeys(prefix: string, version: number) {
  const base = `${prefix}tl:v${version}:`;
  return {
    /** Sorted set: score = publishedAt in ms, member = `${postId}:${authorId}`. */
    timeline: (userId: string): string => `${base}${userId}`,
    /** Holds the epoch of timeline_state while the timelines are whole. */
    epoch: `${base}epoch`,
    /** Run id of the Redis process that was given them: one that was started again may have lost what came last. */
    life: `${base}life`,
    /** Readers whose full timeline lost something, until what had been cut off it is back. */
    short: `${base}short`,
    /** Who is making the timelines again. */
    remake: `${base}remake`,
    fence: (topic: string, partition: number): string => `${base}fence:${topic}:${partition}`,
  };
}
