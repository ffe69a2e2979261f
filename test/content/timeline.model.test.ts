import { describe, expect, it } from 'vitest';
import { concernedBy, editsOf, timelines, touchedBy } from '../../projectors/content/timeline.model.ts';
import { ana, ben, cleo, erased, event, noon, nth } from '../harness/events.ts';
import { openProjected } from '../harness/projection.ts';

const projected = openProjected();

const post = nth(1);
const followed = (followerId: string, followeeId: string, at: number, since = at) =>
  event('UserFollowed', { followerId, followeeId, followedAt: noon + since }, noon + at);
const unfollowed = (followerId: string, followeeId: string, at: number) =>
  event('UserUnfollowed', { followerId, followeeId }, noon + at);
const published = (authorId: string, at: number, postId = post, id?: string) =>
  event(
    'PostPublished',
    {
      ...{ postId, authorId, caption: 'c', location: null, mediaIds: [nth(11)] },
      ...{ isReel: false, hideCounts: false, commentsOff: false },
    },
    noon + at,
    id,
  );
const deleted = (authorId: string, at: number, postId = post, id?: string) =>
  event('PostDeleted', { postId, authorId }, noon + at, id);

const granted = (followerId: string, followeeId: string, at: number) =>
  event('FollowRequestApproved', { followerId, followeeId }, noon + at);
const removed = (followerId: string, followeeId: string, at: number) =>
  event('FollowerRemoved', { followerId, followeeId }, noon + at);
const cancelled = (followerId: string, followeeId: string, at: number) =>
  event('FollowRequestCancelled', { followerId, followeeId }, noon + at);
const blocked = (blockerId: string, blockedId: string, at: number) =>
  event('UserBlocked', { blockerId, blockedId, blockedAt: noon + at }, noon + at);

describe('the facts of feeds', () => {
  it('are who follows whom since when, how many, and who published what', async () => {
    const events = [
      followed(ana, ben, 1),
      followed(cleo, ben, 2),
      followed(ana, ben, 5, 1),
      published(ben, 3),
    ];
    expect(await projected(timelines, events)).toMatchObject({
      timeline_follow: [
        { follower_id: ana, followee_id: ben, followed_at: '2026-01-15T12:00:00.001+00:00', live: true },
        { follower_id: cleo, followee_id: ben, live: true },
      ],
      timeline_post: [
        { post_id: post, author_id: ben, live: true, event_time: '2026-01-15T12:00:00.003+00:00' },
      ],
      timeline_follower_count: [{ author_id: ben, followers: 2 }],
    });
  });
  it('of somebody who was erased are tombstones, whenever they come', async () => {
    const erasure = event('UserErased', { userId: ben }, noon + 2);
    const events = [followed(ana, ben, 1), erasure, followed(ben, cleo, 3), published(ben, 4)];
    expect(await projected(timelines, events)).toMatchObject({
      timeline_follow: [
        { follower_id: ana, followee_id: ben, live: false },
        { follower_id: ben, followee_id: cleo, live: false },
      ],
      timeline_post: [{ author_id: ben, live: false }],
      timeline_follower_count: [{ followers: 0 }, { followers: 0 }],
    });
  });
  it('of a follow that ended are a tombstone and one follower less, though the follow comes late', async () => {
    expect(await projected(timelines, [unfollowed(ana, ben, 2), followed(ana, ben, 1)])).toMatchObject({
      timeline_follow: [{ followed_at: null, live: false }],
      timeline_follower_count: [{ followers: 0 }],
    });
  });
  it('of a request that was granted are a follow since then; a request alone is none', async () => {
    const asked = event('FollowRequested', { followerId: cleo, followeeId: ben, requestedAt: noon }, noon);
    expect(await projected(timelines, [asked, granted(ana, ben, 2)])).toMatchObject({
      timeline_follow: [{ follower_id: ana, followed_at: '2026-01-15T12:00:00.002+00:00', live: true }],
      timeline_follower_count: [{ author_id: ben, followers: 1 }],
    });
  });
  it.each([
    ['was taken away', removed(ana, ben, 3)],
    ['was taken back', cancelled(ana, ben, 3)],
    ['a block has cut', blocked(ben, ana, 3)],
    ['a block the other way round has cut', blocked(ana, ben, 3)],
  ])('of a follow that %s are a tombstone and one follower less', async (_, end) => {
    const rows = await projected(timelines, [followed(ana, ben, 1), end]);
    expect(rows.timeline_follow).toContainEqual(
      expect.objectContaining({ follower_id: ana, followee_id: ben, live: false }),
    );
    expect(rows.timeline_follower_count).toContainEqual({ author_id: ben, followers: 0 });
  });
  it('of a post that was deleted are a tombstone, though the post comes late', async () => {
    expect(await projected(timelines, [deleted(ben, 2), published(ben, 1)])).toMatchObject({
      timeline_post: [{ post_id: post, author_id: ben, live: false }],
    });
  });
  it('of a post and its deletion of one moment are those of the larger id', async () => {
    const events = [published(ben, 1, post, nth(9)), deleted(ben, 1, post, nth(8))];
    expect(await projected(timelines, events)).toMatchObject({ timeline_post: [{ live: true }] });
  });
  it('of an author who was erased stay: ids are pseudonyms, and what is read is ruled on when it is read', async () => {
    expect(await projected(timelines, [erased(published(ben, 1))])).toMatchObject({
      timeline_post: [{ live: true }],
    });
  });
});

describe('what a round touches', () => {
  it('is each pair once, each post, and the authors whose rounds wait for each other', () => {
    const touched = touchedBy([followed(ana, ben, 1), followed(ana, ben, 2), published(cleo, 3)]);
    expect(touched).toEqual({
      ...{ pairs: [{ reader: ana, author: ben }], posts: [post], authors: [ben, cleo], removes: false },
    });
  });
  it.each([
    ['an unfollow', unfollowed(ana, ben, 1)],
    ['a deletion', deleted(ben, 1)],
    ['a follower who was removed', removed(ana, ben, 1)],
    ['a request that is taken back', cancelled(ana, ben, 1)],
    ['a block', blocked(ana, ben, 1)],
  ])('may leave a full timeline short after %s', (_, last) => {
    expect(touchedBy([published(cleo, 1, nth(2)), last]).removes).toBe(true);
  });
  it('is both pairs of a block, and each of the two as an author', () => {
    const { pairs, authors } = touchedBy([blocked(ana, ben, 1)]);
    expect(pairs).toEqual([
      { reader: ana, author: ben },
      { reader: ben, author: ana },
    ]);
    expect(authors).toEqual([ben, ana]);
  });
  it('concerns, when it is repaired, the readers themselves and whoever follows an author', () => {
    const changes = [
      { table: 'timeline_post', row: { post_id: post, author_id: ben }, live: true },
      { table: 'timeline_follow', row: { follower_id: ana, followee_id: cleo }, live: true },
    ];
    expect(concernedBy(changes)).toEqual({ authors: [ben], readers: [ben, ana] });
  });
});

it('each reader gets one edit: what goes goes first, what comes is added', () => {
  const entry = { postId: post, authorId: ben, publishedAt: noon };
  const edits = editsOf({
    adds: [{ entry, readers: [ana] }],
    drops: [{ entry: { ...entry, postId: nth(2) }, readers: [cleo] }],
    pairs: [{ reader: ana, author: ben }],
    slices: [{ entry: { ...entry, postId: nth(3) }, readers: [ana] }],
  });
  expect(edits).toEqual([
    { reader: ana, dropAuthors: [ben], drop: [], add: [entry, { ...entry, postId: nth(3) }] },
    { reader: cleo, dropAuthors: [], drop: [`${nth(2)}:${ben}`], add: [] },
  ]);
});
