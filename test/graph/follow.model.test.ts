import { describe, expect, it } from 'vitest';
import { graph } from '../../projectors/graph/follow.model.ts';
import { ana, ben, cleo, event, noon, nth } from '../harness/events.ts';
import { openProjected } from '../harness/projection.ts';

const projected = openProjected();

const followed = (followerId: string, followeeId: string, at: number, since = at, id?: string) =>
  event('UserFollowed', { followerId, followeeId, followedAt: noon + since }, noon + at, id);
const unfollowed = (followerId: string, followeeId: string, at: number, id?: string) =>
  event('UserUnfollowed', { followerId, followeeId }, noon + at, id);

const asked = (followerId: string, followeeId: string, at: number, since = at) =>
  event('FollowRequested', { followerId, followeeId, requestedAt: noon + since }, noon + at);
const answer = (
  what: 'FollowRequestApproved' | 'FollowRequestDeclined' | 'FollowRequestCancelled' | 'FollowerRemoved',
  at: number,
) => event(what, { followerId: ana, followeeId: ben }, noon + at);
const blocked = (blockerId: string, blockedId: string, at: number, since = at, id?: string) =>
  event('UserBlocked', { blockerId, blockedId, blockedAt: noon + since }, noon + at, id);
const unblocked = (blockerId: string, blockedId: string, at: number) =>
  event('UserUnblocked', { blockerId, blockedId }, noon + at);

describe('a follow', () => {
  it('has a direction', async () => {
    expect(await projected(graph, [followed(ana, ben, 1)])).toMatchObject({
      follow: [{ follower_id: ana, followee_id: ben, live: true }],
      follow_count: [
        { user_id: ana, followers: 0, following: 1 },
        { user_id: ben, followers: 1, following: 0 },
      ],
    });
  });
  it('said again keeps since when it has been', async () => {
    expect(await projected(graph, [followed(ana, ben, 1), followed(ana, ben, 5, 1)])).toMatchObject({
      follow: [{ followed_at: '2026-01-15T12:00:00.001+00:00', event_time: '2026-01-15T12:00:00.005+00:00' }],
      follow_count: [{ following: 1 }, { followers: 1 }],
    });
  });
  it('ended leaves a tombstone that knows no date', async () => {
    expect(await projected(graph, [followed(ana, ben, 1), unfollowed(ana, ben, 2)])).toMatchObject({
      follow: [{ live: false, followed_at: null }],
      follow_count: [{ following: 0 }, { followers: 0 }],
    });
  });
  it('that is older than its end does not come back', async () => {
    expect(await projected(graph, [unfollowed(ana, ben, 2), followed(ana, ben, 1)])).toMatchObject({
      follow: [{ live: false }],
      follow_count: [{ following: 0 }, { followers: 0 }],
    });
  });
  it.each([
    ['the follow', nth(9), true],
    ['its end', nth(7), false],
  ])('and its end of the same moment: %s, whose id is larger, wins', async (_, id, live) => {
    const events = [followed(ana, ben, 1, 1, id), unfollowed(ana, ben, 1, nth(8))];
    expect(await projected(graph, events)).toMatchObject({ follow: [{ live }] });
  });
});

it('both sides are counted exactly, those of one pair in both directions too', async () => {
  const events = [
    followed(ana, ben, 1),
    followed(ben, ana, 2),
    followed(cleo, ana, 3),
    followed(cleo, ben, 4),
    unfollowed(cleo, ben, 5),
    followed(ana, ben, 6, 1),
  ];
  expect(await projected(graph, events)).toMatchObject({
    follow_count: [
      { user_id: ana, followers: 2, following: 1 },
      { user_id: ben, followers: 1, following: 1 },
      { user_id: cleo, followers: 0, following: 1 },
    ],
  });
});

describe('a request', () => {
  it('is a row of its own and counts nowhere', async () => {
    const rows = await projected(graph, [asked(ana, ben, 1), asked(ana, ben, 5, 1)]);
    expect(rows).toMatchObject({
      follow: [],
      follow_request: [
        { follower_id: ana, followee_id: ben, requested_at: '2026-01-15T12:00:00.001+00:00', live: true },
      ],
      follow_count: [],
    });
  });
  it('that is granted is a follow since then', async () => {
    expect(await projected(graph, [asked(ana, ben, 1), answer('FollowRequestApproved', 2)])).toMatchObject({
      follow: [{ followed_at: '2026-01-15T12:00:00.002+00:00', approved: true, live: true }],
      follow_request: [{ live: false, requested_at: null }],
      follow_count: [
        { user_id: ana, following: 1 },
        { user_id: ben, followers: 1 },
      ],
    });
  });
  it('said again after it was granted takes nothing from the follow', async () => {
    const events = [asked(ana, ben, 1), answer('FollowRequestApproved', 2), asked(ana, ben, 3, 1)];
    expect(await projected(graph, events)).toMatchObject({
      follow: [{ live: true }],
      follow_request: [{ live: true }],
      follow_count: [{ following: 1 }, { followers: 1 }],
    });
  });
  it.each(['FollowRequestDeclined', 'FollowRequestCancelled', 'FollowerRemoved'] as const)(
    'is ended by %s',
    async (what) => {
      expect(await projected(graph, [asked(ana, ben, 1), answer(what, 2)])).toMatchObject({
        follow_request: [{ live: false }],
      });
    },
  );
  it('of who follows later, the account being public, is older than the follow, and no row more is made of that', async () => {
    expect(await projected(graph, [asked(ana, ben, 1), followed(ana, ben, 2)])).toMatchObject({
      follow: [{ live: true, approved: false, event_time: '2026-01-15T12:00:00.002+00:00' }],
      follow_request: [{ live: true, event_time: '2026-01-15T12:00:00.001+00:00' }],
    });
    expect(await projected(graph, [followed(ana, ben, 1)])).toMatchObject({ follow_request: [] });
  });
  it.each(['FollowRequestCancelled', 'FollowerRemoved'] as const)(
    'that was granted meanwhile ends as a follow, too, by %s',
    async (what) => {
      const events = [asked(ana, ben, 1), answer('FollowRequestApproved', 2), answer(what, 3)];
      expect(await projected(graph, events)).toMatchObject({
        follow: [{ live: false, approved: null }],
        follow_count: [{ following: 0 }, { followers: 0 }],
      });
    },
  );
});

describe('a block', () => {
  it('ends the follows and requests of the two, either way and in the counts, that are older', async () => {
    const events = [followed(ana, ben, 1), asked(ben, ana, 1), followed(cleo, ben, 1), blocked(ana, ben, 2)];
    expect(await projected(graph, events)).toMatchObject({
      follow: [
        { follower_id: ana, followee_id: ben, live: false },
        { follower_id: ben, followee_id: ana, live: false },
        { follower_id: cleo, live: true },
      ],
      follow_request: [{ live: false }, { live: false }],
      block: [{ blocker_id: ana, blocked_id: ben, blocked_at: '2026-01-15T12:00:00.002+00:00', live: true }],
      follow_count: [
        { user_id: ana, followers: 0, following: 0 },
        { user_id: ben, followers: 1, following: 0 },
        { user_id: cleo, following: 1 },
      ],
    });
  });
  it('leaves a follow that is newer, of who was unblocked', async () => {
    const events = [blocked(ben, ana, 1), unblocked(ben, ana, 2), followed(ana, ben, 3)];
    expect(await projected(graph, events)).toMatchObject({
      follow: [{ follower_id: ana, live: true }, { live: false }],
      block: [{ live: false, blocked_at: null }],
    });
  });
  it('that ends brings no follow back', async () => {
    const events = [followed(ana, ben, 1), blocked(ben, ana, 2), unblocked(ben, ana, 3)];
    expect(await projected(graph, events)).toMatchObject({
      follow: [{ live: false }, { live: false }],
      follow_count: [{ following: 0 }, { followers: 0 }],
    });
  });
  it('said again keeps since when it has been', async () => {
    expect(await projected(graph, [blocked(ana, ben, 1), blocked(ana, ben, 5, 1)])).toMatchObject({
      block: [{ blocked_at: '2026-01-15T12:00:00.001+00:00' }],
    });
  });
  it.each([
    ['the block', nth(9), false],
    ['the follow', nth(7), true],
  ])('and a follow of the same moment: %s, whose id is larger, wins', async (_, id, live) => {
    const events = [followed(ana, ben, 1, 1, nth(8)), blocked(ana, ben, 1, 1, id)];
    expect(await projected(graph, events)).toMatchObject({ follow: [{ live }, { live: false }] });
  });
});

it('whoever was erased follows nobody and is followed by nobody, whenever that was said', async () => {
  const events = [
    ...[followed(ana, ben, 1), followed(cleo, ana, 1), followed(cleo, ben, 1)],
    ...[event('UserErased', { userId: ana }, noon + 2), followed(ben, ana, 3)],
  ];
  expect(await projected(graph, events)).toMatchObject({
    follow: [
      { follower_id: ana, followee_id: ben, followed_at: null, live: false },
      { follower_id: ben, followee_id: ana, followed_at: null, live: false },
      { follower_id: cleo, followee_id: ana, live: false },
      { follower_id: cleo, followee_id: ben, live: true },
    ],
    follow_count: [
      { user_id: ana, followers: 0, following: 0 },
      { user_id: ben, followers: 1, following: 0 },
      { user_id: cleo, followers: 0, following: 1 },
    ],
  });
});
