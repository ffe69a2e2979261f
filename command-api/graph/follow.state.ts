import type { Queryable } from '../../platform/postgres/pool.ts';
import { modelTopics } from '../../schemas/models.ts';
import { type Lookup, openLookup } from '../guards/lookup.ts';
import type { Models } from '../guards/models.ts';

export interface KnownFollow {
  /** Since when, milliseconds. */
  followedAt: number;
  /** Milliseconds. */
  eventTime: number;
}

/** Follows that stand, by edgeKey. */
export function openFollows(pool: Queryable, models: Models): Lookup<KnownFollow> {
  return openLookup({
    topics: modelTopics.graph,
    version: () => models.schema('graph'),
    async load(edges) {
      const ends = edges.map((edge) => edge.split(' '));
      const { rows } = await pool.query(
        `SELECT follower_id, followee_id, followed_at, event_time FROM ${models.schema('graph')}.follow
         JOIN unnest($1::uuid[], $2::uuid[]) AS n (follower_id, followee_id) USING (follower_id, followee_id)
         WHERE live`,
        [ends.map(([follower]) => follower), ends.map(([, followee]) => followee)],
      );
      return new Map(
        rows.map((row) => [
          edgeKey(row.follower_id, row.followee_id),
          { followedAt: row.followed_at.getTime(), eventTime: row.event_time.getTime() },
        ]),
      );
    },
  });
}

export function edgeKey(followerId: string, followeeId: string): string {
  return `${followerId} ${followeeId}`;
}
