import { tieColumns, tieJoins, tieOf } from '../../schemas/graph/tie.ts';
import type { Tie } from '../../schemas/visibility/visibility.ts';
import type { Scope } from '../scope.ts';

type TieScope = Pick<Scope, 'db' | 'schema' | 'viewerId'>;

/** What is between the viewer and each of these; one round trip, none for strangers. */
export function loadTies(scope: TieScope, ids: readonly string[]): Promise<Map<string, Tie>> {
  return ties(scope, '$1::uuid', 'n.id', ids);
}

/** The other way round: how each of these stands to the viewer. */
export function loadTiesToViewer(scope: TieScope, ids: readonly string[]): Promise<Map<string, Tie>> {
  return ties(scope, 'n.id', '$1::uuid', ids);
}

/** By the id of the other; without those between whom nothing is. */
async function ties(
  { db, schema, viewerId }: TieScope,
  viewer: string,
  owner: string,
  ids: readonly string[],
): Promise<Map<string, Tie>> {
  if (viewerId === null || ids.length === 0) return new Map();
  const s = schema('graph');
  const { rows } = await db.query(
    `SELECT n.id, ${tieColumns}
     FROM unnest($2::uuid[]) AS n (id) ${tieJoins(s, viewer, owner)}
     WHERE f.live OR r.live OR b.live OR o.live`,
    [viewerId, [...new Set(ids)]],
  );
  return new Map(rows.map((row) => [row.id, tieOf(row)]));
}
