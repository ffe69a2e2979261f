import { uuidArray } from '../../platform/postgres/prepared.ts';
import type { MediaVariant } from '../../schemas/generated/events.ts';
import type { RowKind } from '../rows.ts';
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

const media: RowKind<MediaRow> = {
  model: 'media',
  async load(db, s, ids) {
    const { rows } = await db.query(
      `SELECT media_id, owner_id, state, reason, width, height, placeholder, dominant_color, variants
       FROM ${s}.media WHERE media_id = ANY($1::uuid[]) AND live`,
      [uuidArray(ids)],
    );
    return new Map(rows.map((row) => [row.media_id, mediaRow(row)]));
  },
};

/** Media by id; unknown ones are missing from the map. */
export function loadMedia(scope: Scope, ids: readonly string[]): Promise<Map<string, MediaRow>> {
  return scope.recall(media, ids);
}

// biome-ignore lint/suspicious/noExplicitAny: the columns above
function mediaRow(row: any): MediaRow {
  return {
    id: row.media_id,
    ownerId: row.owner_id,
    state: row.state,
    reason: row.reason,
    width: row.width,
    height: row.height,
    placeholder: row.placeholder,
    dominantColor: row.dominant_color,
    variants: row.variants ?? [],
  };
}
