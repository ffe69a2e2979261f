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

/** Whether the request r is newer than whatever the row f says of the follow. */
export const requestWaits =
  '(r.live AND (f.live IS NULL OR (r.event_time, r.event_id) > (f.event_time, f.event_id)))';

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
    `SELECT n.id, f.live AS follows, f.followed_at, f.event_time AS said_at, f.approved,
            ${requestWaits} AS requests, r.requested_at, b.live AS blocks, o.live AS is_blocked
     FROM unnest($2::uuid[]) AS n (id)
     LEFT JOIN ${s}.follow f ON f.follower_id = ${viewer} AND f.followee_id = ${owner}
     LEFT JOIN ${s}.follow_request r ON r.follower_id = ${viewer} AND r.followee_id = ${owner} AND r.live
     LEFT JOIN ${s}.block b ON b.blocker_id = ${viewer} AND b.blocked_id = ${owner} AND b.live
     LEFT JOIN ${s}.block o ON o.blocker_id = ${owner} AND o.blocked_id = ${viewer} AND o.live
     WHERE f.live OR r.live OR b.live OR o.live`,
    [viewerId, [...new Set(ids)]],
  );
  return new Map(rows.map((row) => [row.id, tieOf(row)]));
}

function tieOf(row: {
  follows: boolean | null;
  followed_at: Date | null;
  said_at: Date | null;
  approved: boolean | null;
  requests: boolean | null;
  requested_at: Date | null;
  blocks: boolean | null;
  is_blocked: boolean | null;
}): Tie {
  return {
    followedAt: row.follows ? row.followed_at!.getTime() : null,
    followSaidAt: row.follows ? row.said_at!.getTime() : null,
    approved: row.approved === true,
    requestedAt: row.requests ? row.requested_at!.getTime() : null,
    blocks: row.blocks === true,
    isBlocked: row.is_blocked === true,
  };
}
