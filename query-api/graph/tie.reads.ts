import type { Queryable } from '../../platform/postgres/pool.ts';
import { tieColumns, tieJoins, tieOf } from '../../schemas/graph/tie.ts';
import type { Tie } from '../../schemas/visibility/visibility.ts';
import { pairColumns, pairKey, type RowKind } from '../rows.ts';
import type { Scope } from '../scope.ts';

/** By pairs of a viewer and an owner; without those between whom nothing is. Never remembered: ties protect people. */
const ties: RowKind<Tie> = { model: 'graph', load: queryTies };

/** What is between the viewer and each of these, by the other's id; none for strangers. */
export function loadTies(scope: Scope, ids: readonly string[]): Promise<Map<string, Tie>> {
  return tiesBy(scope, ids, (viewerId, id) => pairKey(viewerId, id));
}

/** The other way round: how each of these stands to the viewer. */
export function loadTiesToViewer(scope: Scope, ids: readonly string[]): Promise<Map<string, Tie>> {
  return tiesBy(scope, ids, (viewerId, id) => pairKey(id, viewerId));
}

async function tiesBy(
  scope: Scope,
  ids: readonly string[],
  keyOf: (viewerId: string, id: string) => string,
): Promise<Map<string, Tie>> {
  const { viewerId } = scope;
  if (viewerId === null) return new Map();
  const others = new Map(ids.map((id) => [keyOf(viewerId, id), id]));
  const found = await scope.ask(ties, [...others.keys()]);
  return new Map([...found].map(([key, tie]) => [others.get(key)!, tie]));
}

/** Ties by pairKey of viewer and owner, in one query. */
export async function queryTies(
  db: Queryable,
  s: string,
  pairs: readonly string[],
): Promise<Map<string, Tie>> {
  const { rows } = await db.query(
    `SELECT n.viewer_id, n.owner_id, ${tieColumns}
     FROM unnest($1::uuid[], $2::uuid[]) AS n (viewer_id, owner_id) ${tieJoins(s, 'n.viewer_id', 'n.owner_id')}
     WHERE f.live OR r.live OR b.live OR o.live`,
    pairColumns(pairs),
  );
  return new Map(rows.map((row) => [pairKey(row.viewer_id, row.owner_id), tieOf(row)]));
}
