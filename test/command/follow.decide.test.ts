import { describe, expect, it } from 'vitest';
import { decideFollow, decideUnfollow } from '../../command-api/graph/follow.decide.ts';
import { ana, ben, byAna, meta } from './given.ts';

const someone = (userId: string, live = true) => ({ followee: { userId, live }, followedAt: null });

describe('follow', () => {
  it('is a fact of the follower', () => {
    expect(decideFollow(someone(ben), byAna())).toEqual({
      type: 'UserFollowed',
      meta,
      followerId: ana,
      followeeId: ben,
      followedAt: meta.time,
    });
  });
  it('said again carries the time of the first', () => {
    const again = decideFollow({ ...someone(ben), followedAt: 17 }, byAna());
    expect(again).toMatchObject({ followedAt: 17, meta });
  });
  it('is refused for oneself, for nobody and for who is gone', () => {
    expect(decideFollow(someone(ana), byAna())).toMatchObject({ refused: 'self_follow' });
    expect(decideFollow({ followee: null, followedAt: null }, byAna())).toMatchObject({
      refused: 'user_not_found',
    });
    expect(decideFollow(someone(ben, false), byAna())).toMatchObject({ refused: 'user_not_found' });
  });
});

describe('unfollow', () => {
  it('is a fact of the follower', () => {
    expect(decideUnfollow(someone(ben), byAna())).toEqual({
      type: 'UserUnfollowed',
      meta,
      followerId: ana,
      followeeId: ben,
    });
  });
  it('needs no leave of who is gone', () => {
    expect(decideUnfollow(someone(ben, false), byAna())).toMatchObject({ type: 'UserUnfollowed' });
  });
  it('is refused for oneself and for nobody', () => {
    expect(decideUnfollow(someone(ana), byAna())).toMatchObject({ refused: 'self_follow' });
    expect(decideUnfollow({ followee: null }, byAna())).toMatchObject({ refused: 'user_not_found' });
  });
});
