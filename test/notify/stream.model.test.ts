import { describe, expect, it } from 'vitest';
import { framesOf, streamFacts, touchedFacts } from '../../projectors/notify/stream.model.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { ana, ben, erased, event, noon, nth } from '../harness/events.ts';
import { openProjected } from '../harness/projection.ts';

const projected = openProjected();

const [post, photo] = [nth(1), nth(11)];
const time = '2026-01-15T12:00:00.001Z';
const traceId = '00000000000000000000000000000001';

const followed = (followerId: string, followeeId: string, at: number, since = at) =>
  event('UserFollowed', { followerId, followeeId, followedAt: noon + since }, noon + at);
const unfollowed = (at: number) => event('UserUnfollowed', { followerId: ana, followeeId: ben }, noon + at);
const published = (at: number, id?: string) =>
  event(
    'PostPublished',
    {
      ...{ postId: post, authorId: ben, caption: 'c', location: null, mediaIds: [photo] },
      ...{ isReel: false, hideCounts: false, commentsOff: false },
    },
    noon + at,
    id,
  );
const deleted = (at: number, id?: string) =>
  event('PostDeleted', { postId: post, authorId: ben }, noon + at, id);
const ready = (at: number) =>
  event(
    'MediaReady',
    {
      ...{ mediaId: photo, ownerId: ben, kind: 'image', width: 4, height: 3, placeholder: 'p' },
      ...{ dominantColor: '#fff', variants: [] },
    },
    noon + at,
  );
const rejected = (at: number) =>
  event('MediaRejected', { mediaId: photo, ownerId: ben, code: 'media_not_an_image' }, noon + at);
const liked = (likerId: string, at: number) =>
  event('PostLiked', { postId: post, likerId, authorId: ben }, noon + at);

describe('the facts of the stream', () => {
  it('are follows, posts with the trace of who asked, and media that is ready', async () => {
    expect(await projected(streamFacts, [followed(ana, ben, 5, 1), published(2), ready(3)])).toMatchObject({
      stream_follow: [
        { follower_id: ana, followee_id: ben, followed_at: '2026-01-15T12:00:00.001+00:00', live: true },
      ],
      stream_post: [{ post_id: post, author_id: ben, media_ids: [photo], trace_id: traceId, live: true }],
      stream_media: [{ media_id: photo, owner_id: ben, live: true }],
    });
  });
  it('that ended are tombstones, though what they end comes late', async () => {
    const events = [unfollowed(9), deleted(9), rejected(9), followed(ana, ben, 1), published(2), ready(3)];
    expect(await projected(streamFacts, events)).toMatchObject({
      stream_follow: [{ live: false, followed_at: null }],
      stream_post: [{ live: false, media_ids: null, trace_id: null }],
      stream_media: [{ live: false }],
    });
  });
  it('are no follow of who asks, until it is granted, nor between people of whom one has blocked the other', async () => {
    const ends = { followerId: ana, followeeId: ben };
    const asked = event('FollowRequested', { ...ends, requestedAt: noon }, noon);
    expect(await projected(streamFacts, [asked])).toMatchObject({ stream_follow: [] });
    const granted = event('FollowRequestApproved', ends, noon + 2);
    expect(await projected(streamFacts, [asked, granted])).toMatchObject({
      stream_follow: [{ followed_at: '2026-01-15T12:00:00.002+00:00', live: true }],
    });
    const blocked = event('UserBlocked', { blockerId: ben, blockedId: ana, blockedAt: noon }, noon + 3);
    expect(await projected(streamFacts, [blocked, granted])).toMatchObject({
      stream_follow: [{ live: false }, { live: false }],
    });
  });
  it('of one moment are those of the larger id', async () => {
    expect(await projected(streamFacts, [published(1, nth(9)), deleted(1, nth(8))])).toMatchObject({
      stream_post: [{ live: true }],
    });
  });
  it('of an author who was erased stay: they hold nothing personal', async () => {
    expect(await projected(streamFacts, [erased(published(1))])).toMatchObject({
      stream_post: [{ live: true }],
    });
  });
  it('take nothing of a like', async () => {
    expect(await projected(streamFacts, [liked(ana, 1)])).toEqual({
      ...{ stream_follow: [], stream_post: [], stream_media: [] },
    });
  });
});

describe('a frame', () => {
  const theFrame = (one: Event) => framesOf(one)[0]!;

  it('tells the author who liked', () => {
    expect(framesOf(liked(ana, 1))).toMatchObject([
      { userId: ben, payload: { type: 'post.liked', time, traceId, data: { postId: post, likerId: ana } } },
    ]);
  });
  it('tells nobody of their own likes', () => {
    expect(framesOf(liked(ben, 1))).toEqual([]);
  });
  it('tells a like that is taken back and given again once, and each liker', () => {
    const [first, again, other] = [liked(ana, 1), liked(ana, 2), liked(nth(7), 3)].map(theFrame);
    expect(again!.eventId).toBe(first!.eventId);
    expect(other!.eventId).not.toBe(first!.eventId);
  });
  it('tells who is followed, once for each time that it begins', () => {
    const [first, begun] = [followed(ana, ben, 1), followed(ana, ben, 9)].map(theFrame);
    expect(first).toMatchObject({
      ...{ userId: ben, payload: { type: 'user.followed', time, traceId, data: { followerId: ana } } },
    });
    expect(framesOf(followed(ana, ben, 5, 1))).toEqual([]);
    expect(begun!.eventId).not.toBe(first!.eventId);
  });
  it('tells who is asked, once for each request', () => {
    const asked = (at: number, since = at) =>
      event('FollowRequested', { followerId: ana, followeeId: ben, requestedAt: noon + since }, noon + at);
    const [first, begun] = [asked(1), asked(9)].map(theFrame);
    expect(first).toMatchObject({
      ...{ userId: ben, payload: { type: 'follow.requested', time, traceId, data: { followerId: ana } } },
    });
    expect(framesOf(asked(5, 1))).toEqual([]);
    expect(begun!.eventId).not.toBe(first!.eventId);
  });
  it('tells who asked that it was granted', () => {
    const granted = event('FollowRequestApproved', { followerId: ana, followeeId: ben }, noon + 1);
    expect(framesOf(granted)).toMatchObject([
      { userId: ana, payload: { type: 'follow.approved', time, traceId, data: { followeeId: ben } } },
    ]);
  });
  it.each<[Event, object]>([
    [ready(1), { type: 'media.ready', data: { mediaId: photo } }],
    [rejected(1), { type: 'media.rejected', data: { mediaId: photo, code: 'media_not_an_image' } }],
  ])('tells the owner what became of an upload: $type', (outcome, payload) => {
    expect(framesOf(outcome)).toMatchObject([{ userId: ben, payload }]);
  });
  it('tells one outcome of a media, though two were said, and those of others', () => {
    const ids = [ready(1), rejected(2), { ...ready(1), mediaId: nth(12) }].map(
      (one) => framesOf(one)[0]!.eventId,
    );
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });
  it.each([unfollowed(1), published(1), deleted(1)])('is not made of $type alone', (one) => {
    expect(framesOf(one)).toEqual([]);
  });
});

it('a post, its media and a follow may each be what makes a post show to somebody', () => {
  const round = [published(1), ready(2), followed(ana, ben, 3), deleted(4), rejected(5), unfollowed(6)];
  expect(touchedFacts(round)).toEqual({
    ...{ posts: [post], media: [photo], pairs: [{ follower: ana, followee: ben }] },
  });
});
