import type { Tie } from '../visibility/visibility.ts';

/**
 * How the tables of follow.sql say what is between a viewer and an owner: for whoever asks them, to make a Tie of it.
 * `f` is the row of the follow, `r` of the request, `b` of the viewer's block and `o` of the owner's; tombstones too.
 */

/** The four rows; `s` is the schema of the tables, `viewer` and `owner` are expressions. */
export function tieJoins(s: string, viewer: string, owner: string): string {
  return `LEFT JOIN ${s}.follow f ON f.follower_id = ${viewer} AND f.followee_id = ${owner}
    LEFT JOIN ${s}.follow_request r ON r.follower_id = ${viewer} AND r.followee_id = ${owner}
    LEFT JOIN ${s}.block b ON b.blocker_id = ${viewer} AND b.blocked_id = ${owner}
    LEFT JOIN ${s}.block o ON o.blocker_id = ${owner} AND o.blocked_id = ${viewer}`;
}

/** Whether the request is newer than whatever the row says of the follow. */
export const requestWaits =
  '(r.live AND (f.live IS NULL OR (r.event_time, r.event_id) > (f.event_time, f.event_id)))';

/** The columns of a TieRow. */
export const tieColumns = `f.live AS follows, f.followed_at, f.event_time AS said_at, f.approved,
  ${requestWaits} AS requests, r.requested_at, b.live AS blocks, o.live AS is_blocked`;

export interface TieRow {
  follows: boolean | null;
  followed_at: Date | null;
  said_at: Date | null;
  approved: boolean | null;
  requests: boolean | null;
  requested_at: Date | null;
  blocks: boolean | null;
  is_blocked: boolean | null;
}

export function tieOf(row: TieRow): Tie {
  return {
    followedAt: row.follows ? row.followed_at!.getTime() : null,
    followSaidAt: row.follows ? row.said_at!.getTime() : null,
    approved: row.approved === true,
    requestedAt: row.requests ? row.requested_at!.getTime() : null,
    blocks: row.blocks === true,
    isBlocked: row.is_blocked === true,
  };
}
