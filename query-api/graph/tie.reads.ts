import type { Queryable } from '../../platform/postgres/pool.ts';
import { tieColumns, tieJoins, tieOf } from '../../schemas/graph/tie.ts';
import { noTie, type Tie } from '../../schemas/visibility/visibility.ts';
import { pairColumns, pairKey, type RowKind } from '../rows.ts';
import type { Scope } from '../scope.ts';

/** By pairs of a viewer and an owner; without those between whom nothing is. Never remembered: ties protect people. */
const ties: RowKind<Tie> = { model: 'graph', load: queryTies };

/** The same of blocks alone. */
const blocks: RowKind<Tie> = { model: 'graph', load: queryBlocks };

/** What is between the viewer and each of these, by the other's id; none for strangers. */
export function loadTies(scope: Scope, ids: readonly string[]): Promise<Map<string, Tie>> {
  return tiesBy(scope, ties, ids, pairKey);
}

/**
 * What decides who sees what these owners show: with a private one all there is between the two, with the others only
 * blocks, because what is public is closed by nothing else.
 */
export async function loadContentTies(
  scope: Scope,
  owners: ReadonlyMap<string, { privateSince: number | null }>,
): Promise<Map<string, Tie>> {
  const isPrivate = (id: string): boolean => owners.get(id)!.privateSince !== null;
  const ids = [...owners.keys()];
  const isPublic = (id: string): boolean => !isPrivate(id);
  const [all, blocked] = await Promise.all([
    tiesBy(scope, ties, ids.filter(isPrivate), pairKey),
    tiesBy(scope, blocks, ids.filter(isPublic), pairKey),
  ]);
  return all.size === 0 ? blocked : new Map([...all, ...blocked]);
}

/** The other way round: how each of these stands to the viewer. */
export function loadTiesToViewer(scope: Scope, ids: readonly string[]): Promise<Map<string, Tie>> {
  return tiesBy(scope, ties, ids, (viewerId, id) => pairKey(id, viewerId));
}

async function tiesBy(
  scope: Scope,
  kind: RowKind<Tie>,
  ids: readonly string[],
  keyOf: (viewerId: string, id: string) => string,
): Promise<Map<string, Tie>> {
  const { viewerId } = scope;
  if (viewerId === null) return new Map();
  const others = new Map(ids.map((id) => [keyOf(viewerId, id), id]));
  const found = await scope.ask(kind, [...others.keys()]);
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

/** The same as far as blocks make it, in either direction: all that decides of what is public. */
export async function queryBlocks(
  db: Queryable,
  s: string,
  pairs: readonly string[],
): Promise<Map<string, Tie>> {
  const { rows } = await db.query(
    `WITH n AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS n (viewer_id, owner_id))
     SELECT n.*, true AS blocks FROM n
     JOIN ${s}.block b ON b.blocker_id = n.viewer_id AND b.blocked_id = n.owner_id WHERE b.live
     UNION ALL SELECT n.*, false FROM n
     JOIN ${s}.block b ON b.blocker_id = n.owner_id AND b.blocked_id = n.viewer_id WHERE b.live`,
    pairColumns(pairs),
  );
  const found = new Map<string, Tie>();
  for (const { viewer_id, owner_id, blocks } of rows) {
    const key = pairKey(viewer_id, owner_id);
    const tie = found.get(key) ?? noTie;
    found.set(key, blocks ? { ...tie, blocks } : { ...tie, isBlocked: true });
  }
  return found;
}
