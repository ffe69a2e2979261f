import type { MediaVariant } from '../../schemas/generated/events.ts';
import type { Scope } from '../scope.ts';

export interface MediaRow {
  id: string;
  ownerId: string;
  state: 'requested' | 'uploaded' | 'ready' | 'rejected';
  reason: string | null;
  width: number | null;
  height: number | null;
  placeholder: string | null;
  dominantColor: string | null;
  variants: MediaVariant[];
}

/** Media by id, one round trip; unknown ones are missing from the map. */
export async function loadMedia(scope: Scope, ids: readonly string[]): Promise<Map<string, MediaRow>> {
  if (ids.length === 0) return new Map();
  const { rows } = await scope.db.query(
    `SELECT media_id, owner_id, state, reason, width, height, placeholder, dominant_color, variants
     FROM ${scope.schema('media')}.media WHERE media_id = ANY($1::uuid[]) AND live`,
    [[...new Set(ids)]],
  );
  return new Map(
    rows.map((row) => [
      row.media_id as string,
      {
        id: row.media_id,
        ownerId: row.owner_id,
        state: row.state,
        reason: row.reason,
        width: row.width,
        height: row.height,
        placeholder: row.placeholder,
        dominantColor: row.dominant_color,
        variants: row.variants ?? [],
      },
    ]),
  );
}
