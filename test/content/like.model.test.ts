import { describe, expect, it } from 'vitest';
import { likes } from '../../projectors/content/like.model.ts';
import { ana, ben, cleo, event, noon, nth } from '../harness/events.ts';
import { openProjected } from '../harness/projection.ts';

const projected = openProjected();

const [post, other] = [nth(1), nth(2)];
const liked = (likerId: string, at: number, postId = post, id?: string) =>
  event('PostLiked', { postId, likerId, authorId: cleo }, noon + at, id);
const unliked = (likerId: string, at: number, postId = post, id?: string) =>
  event('PostUnliked', { postId, likerId, authorId: cleo }, noon + at, id);

const erasure = (userId: string, at: number) => event('UserErased', { userId }, noon + at);

describe('a like', () => {
  it('is a row of post and liker, before there is any post', async () => {
    const event_time = '2026-01-15T12:00:00.001+00:00';
    expect(await projected(likes, [liked(ana, 1, post, nth(9))])).toEqual({
      erased_person: [],
      post_like: [{ post_id: post, liker_id: ana, live: true, event_time, event_id: nth(9) }],
      post_like_count: [{ post_id: post, likes: 1 }],
    });
  });
  it('taken back leaves a tombstone, and a count of none', async () => {
    expect(await projected(likes, [liked(ana, 1), unliked(ana, 2)])).toMatchObject({
      post_like: [{ liker_id: ana, live: false }],
      post_like_count: [{ likes: 0 }],
    });
  });
  it('that is older than its being taken back does not come back', async () => {
    expect(await projected(likes, [unliked(ana, 2), liked(ana, 1)])).toMatchObject({
      post_like: [{ live: false }],
      post_like_count: [{ likes: 0 }],
    });
  });
  it('taken back and given again stands', async () => {
    expect(await projected(likes, [liked(ana, 1), unliked(ana, 2), liked(ana, 3)])).toMatchObject({
      post_like: [{ live: true, event_time: '2026-01-15T12:00:00.003+00:00' }],
      post_like_count: [{ likes: 1 }],
    });
  });
  it.each([
    ['the like', nth(9), true],
    ['the unlike', nth(7), false],
  ])('and an unlike of the same moment: %s, whose id is larger, wins', async (_, likeId, live) => {
    const events = [liked(ana, 1, post, likeId), unliked(ana, 1, post, nth(8))];
    expect(await projected(likes, events)).toMatchObject({
      post_like: [{ live }],
      post_like_count: [{ likes: live ? 1 : 0 }],
    });
  });
});

describe('the count', () => {
  it('counts each liker once, however often it is said', async () => {
    expect(await projected(likes, [liked(ana, 1), liked(ana, 2), liked(ben, 3)])).toMatchObject({
      post_like_count: [{ post_id: post, likes: 2 }],
    });
  });
  it('is kept for each post', async () => {
    const events = [liked(ana, 1), liked(ben, 2), liked(ana, 3, other), unliked(ben, 4)];
    expect(await projected(likes, events)).toMatchObject({
      post_like_count: [
        { post_id: post, likes: 1 },
        { post_id: other, likes: 1 },
      ],
    });
  });
  it('is none where nobody ever liked, but somebody took it back', async () => {
    expect(await projected(likes, [unliked(ana, 1)])).toMatchObject({
      post_like: [{ live: false }],
      post_like_count: [{ likes: 0 }],
    });
  });
});

it('whoever was erased likes nothing any more, whenever the like was given', async () => {
  const events = [liked(ana, 1), liked(ben, 1), erasure(ana, 2), liked(ana, 3, other)];
  expect(await projected(likes, events)).toMatchObject({
    erased_person: [{ user_id: ana }],
    post_like: [
      { post_id: post, liker_id: ana, live: false },
      { post_id: post, liker_id: ben, live: true },
      { post_id: other, liker_id: ana, live: false },
    ],
    post_like_count: [
      { post_id: post, likes: 1 },
      { post_id: other, likes: 0 },
    ],
  });
});
