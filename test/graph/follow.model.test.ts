import { describe, expect, it } from 'vitest';
import { graph } from '../../projectors/graph/follow.model.ts';
import { ana, ben, cleo, event, noon, nth } from '../harness/events.ts';
import { openProjected } from '../harness/projection.ts';

const projected = openProjected();

const followed = (followerId: string, followeeId: string, at: number, since = at, id?: string) =>
  event('UserFollowed', { followerId, followeeId, followedAt: noon + since }, noon + at, id);
const unfollowed = (followerId: string, followeeId: string, at: number, id?: string) =>
  event('UserUnfollowed', { followerId, followeeId }, noon + at, id);

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
