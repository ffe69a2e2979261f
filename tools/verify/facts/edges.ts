import type { Event } from '../../../schemas/generated/events.ts';
import type { Row, Write } from '../spec.ts';

/** What an event says of one edge: since when it is, or that it is not; and whether the followee granted it. */
export interface EdgeFact {
  followerId: string;
  followeeId: string;
  /** Milliseconds, as text; null: there is no such follow. */
  since: string | null;
  approved: boolean;
}

/** A block ends the follows between the two, either way, that are older. */
export function edgesOf(event: Event): EdgeFact[] {
  switch (event.type) {
    case 'UserFollowed':
      return [edge(event, String(event.followedAt), false)];
    case 'FollowRequestApproved':
      return [edge(event, String(event.meta.time), true)];
    case 'UserUnfollowed':
    case 'FollowRequestCancelled':
    case 'FollowerRemoved':
      return [edge(event, null, false)];
    case 'UserBlocked':
      return pairOf(event).map((ends) => edge(ends, null, false));
    default:
      return [];
  }
}

function pairOf({ blockerId, blockedId }: { blockerId: string; blockedId: string }) {
  return [
    { followerId: blockerId, followeeId: blockedId },
    { followerId: blockedId, followeeId: blockerId },
  ];
}

function edge(ends: { followerId: string; followeeId: string }, since: string | null, approved: boolean) {
  return { followerId: ends.followerId, followeeId: ends.followeeId, since, approved };
}

/** The rows of a table of follows. */
export function edgeWrites(event: Event, table: string, more: (fact: EdgeFact) => Row = () => ({})): Write[] {
  return edgesOf(event).map((fact) => {
    const row = { follower_id: fact.followerId, followee_id: fact.followeeId, followed_at: fact.since };
    return { table, row: { ...row, ...more(fact) }, live: fact.since !== null };
  });
}
