import type { EventType } from '../../schemas/generated/events.ts';
import { type Change, isoTime, put, remove, type Seen } from '../engine/model.ts';

/** Events that change who follows whom. */
type EdgeEvent = Extract<
  EventType,
  | 'UserFollowed'
  | 'UserUnfollowed'
  | 'FollowRequestApproved'
  | 'FollowRequestCancelled'
  | 'FollowerRemoved'
  | 'UserBlocked'
>;

type Handlers<T extends EventType> = { [K in T]: (event: Seen<K>) => Change[] };

interface Edge {
  followerId: string;
  followeeId: string;
}

export function edgeKey({ followerId, followeeId }: Edge): Record<string, unknown> {
  return { follower_id: followerId, followee_id: followeeId };
}

/** The two edges between two people. */
export function bothWays(a: string, b: string): [Edge, Edge] {
  return [
    { followerId: a, followeeId: b },
    { followerId: b, followeeId: a },
  ];
}

/**
 * What events say of a table of follows, for every model that has one. A block is on another key than the follows it
 * ends: it is a tombstone of its own time on both edges, so a follow counts when it is newer (DESIGN §3), in whatever
 * order the two arrive. `more`: further columns of a follow, by whether the followee granted it.
 */
export function followsIn(
  table: string,
  more: (approved: boolean) => Record<string, unknown> = () => ({}),
): Handlers<EdgeEvent> {
  const gone = (event: Edge): Change[] => [remove(table, edgeKey(event))];
  const since = (event: Edge, at: number, approved: boolean): Change[] => [
    put(table, { ...edgeKey(event), followed_at: isoTime(at), ...more(approved) }),
  ];
  return {
    UserFollowed: (event) => since(event, event.followedAt, false),
    FollowRequestApproved: (event) => since(event, event.meta.time, true),
    UserUnfollowed: gone,
    FollowRequestCancelled: gone,
    FollowerRemoved: gone,
    UserBlocked: (event) => bothWays(event.blockerId, event.blockedId).flatMap(gone),
  };
}
