import { describe, expect, it } from 'vitest';
import {
  decideFollow,
  decideRemoveFollower,
  decideUnfollow,
  type PersonState,
} from '../../command-api/graph/follow.decide.ts';
import { noTie, relationOf, type Tie } from '../../schemas/visibility/visibility.ts';
import { ana, ben, byAna, meta, now } from './given.ts';

/** Somebody, and what is between them and Ana. */
function someone(
  userId: string,
  facts: { live?: boolean; privateSince?: number } = {},
  tie: Partial<Tie> = {},
) {
  const person = { userId, live: true, privateSince: null, ...facts };
  const whole = { ...noTie, ...tie };
  return { person, tie: whole, relation: relationOf(ana, userId, person, whole) };
}

const nobody: PersonState = { person: null, tie: noTie, relation: 'stranger' };
const follow = { followedAt: 17, followSaidAt: 17 };
const edge = { meta, followerId: ana, followeeId: ben };

describe('follow', () => {
  it('is a fact of the follower', () => {
    expect(decideFollow(someone(ben), byAna())).toEqual({ type: 'UserFollowed', ...edge, followedAt: now });
  });
  it('said again carries the time of the first', () => {
    expect(decideFollow(someone(ben, {}, follow), byAna())).toMatchObject({ followedAt: 17, meta });
  });
  it('of a private account is a request', () => {
    const asked = decideFollow(someone(ben, { privateSince: 5 }), byAna());
    expect(asked).toEqual({ type: 'FollowRequested', ...edge, requestedAt: now });
  });
  it('of a private account said again carries the time of the first request, whether one waits or follows', () => {
    const waiting = someone(ben, { privateSince: 5 }, { requestedAt: 17 });
    expect(decideFollow(waiting, byAna())).toMatchObject({ type: 'FollowRequested', requestedAt: 17 });
    const granted = someone(ben, { privateSince: 5 }, { ...follow, approved: true });
    expect(decideFollow(granted, byAna())).toMatchObject({ type: 'FollowRequested', requestedAt: now });
  });
  it('is refused for oneself, for nobody and for who is gone', () => {
    expect(decideFollow(someone(ana), byAna())).toMatchObject({ refused: 'self_follow' });
    expect(decideFollow(nobody, byAna())).toMatchObject({ refused: 'user_not_found' });
    expect(decideFollow(someone(ben, { live: false }), byAna())).toMatchObject({ refused: 'user_not_found' });
  });
});

describe('unfollow', () => {
  it('is a fact of the follower', () => {
    expect(decideUnfollow(someone(ben, {}, follow), byAna())).toEqual({ type: 'UserUnfollowed', ...edge });
  });
  it('takes back a request that waits', () => {
    const waiting = someone(ben, { privateSince: 5 }, { requestedAt: 17 });
    expect(decideUnfollow(waiting, byAna())).toEqual({ type: 'FollowRequestCancelled', ...edge });
  });
  it('is refused for oneself, for nobody and for who is gone', () => {
    expect(decideUnfollow(someone(ana), byAna())).toMatchObject({ refused: 'self_follow' });
    expect(decideUnfollow(nobody, byAna())).toMatchObject({ refused: 'user_not_found' });
    expect(decideUnfollow(someone(ben, { live: false }), byAna())).toMatchObject({
      refused: 'user_not_found',
    });
  });
});

describe('removing a follower', () => {
  it('is a fact on the edge of the follower', () => {
    expect(decideRemoveFollower(someone(ben), byAna())).toEqual({
      ...{ type: 'FollowerRemoved', meta },
      ...{ followerId: ben, followeeId: ana },
    });
  });
});

it.each(['blocks', 'isBlocked'])(
  'nothing is done to somebody when one has blocked the other (%s)',
  (side) => {
    const state = someone(ben, {}, { ...follow, [side]: true });
    for (const decide of [decideFollow, decideUnfollow, decideRemoveFollower])
      expect(decide(state, byAna())).toMatchObject({ refused: 'user_not_found' });
  },
);
