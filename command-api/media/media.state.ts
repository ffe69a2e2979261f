import type { Queryable } from '../../platform/postgres/pool.ts';
import type { Models } from '../guards/models.ts';
import type { MediaFacts } from './media.decide.ts';

export interface KnownMedia extends MediaFacts {
  /** Milliseconds. */
  eventTime: number;
}

/** What is known of these media; unknown ones are absent. */
export async function loadMedia(
  pool: Queryable,
  models: Models,
  mediaIds: readonly string[],
): Promise<Map<string, KnownMedia>> {
  if (mediaIds.length === 0) return new Map();
  const { rows } = await pool.query(
    `SELECT media_id, owner_id, state, reason, event_time FROM ${models.schema('media')}.media
     WHERE media_id = ANY($1::uuid[]) AND live`,
    [mediaIds],
  );
  return new Map(
    rows.map((row) => [
      row.media_id,
      {
        mediaId: row.media_id,
        ownerId: row.owner_id,
        state: row.state,
        reason: row.reason,
        eventTime: row.event_time.getTime(),
      },
    ]),
  );
}

/** Newest event time among them, milliseconds; 0 for none. */
export function newestOf(media: ReadonlyMap<string, KnownMedia>): number {
  return Math.max(0, ...[...media.values()].map(({ eventTime }) => eventTime));
}
