import { describe, expect, it } from 'vitest';
import { posts } from '../../projectors/content/post.model.ts';
import { ana, ben, erased, event, noon, nth } from '../harness/events.ts';
import { openProjected } from '../harness/projection.ts';

const projected = openProjected();

const [post, other] = [nth(1), nth(2)];
const [photo, second] = [nth(11), nth(12)];

const published = (at: number, mediaIds = [photo], postId = post, authorId = ana, id?: string) =>
  event(
    'PostPublished',
    {
      ...{ postId, authorId, mediaIds, caption: 'First light', location: 'Porto' },
      ...{ isReel: false, hideCounts: true, commentsOff: false },
    },
    noon + at,
    id,
  );
const deleted = (at: number, postId = post, authorId = ana, id?: string) =>
  event('PostDeleted', { postId, authorId }, noon + at, id);
const ready = (at: number, mediaId = photo, ownerId = ana) =>
  event(
    'MediaReady',
    {
      ...{ mediaId, ownerId, kind: 'image', width: 4, height: 3, placeholder: 'p', dominantColor: '#fff' },
      variants: [],
    },
    noon + at,
  );
const rejected = (at: number, mediaId = photo, ownerId = ana) =>
  event('MediaRejected', { mediaId, ownerId, code: 'media_not_an_image' }, noon + at);

describe('a post', () => {
  it('shows once its media is ready, whichever comes first', async () => {
    expect(await projected(posts, [published(1), ready(2)])).toMatchObject({
      post: [
        {
          ...{ post_id: post, author_id: ana, caption: 'First light', location: 'Porto', media_ids: [photo] },
          ...{ is_reel: false, hide_counts: true, comments_off: false, live: true, visible: true },
          event_time: '2026-01-15T12:00:00.001+00:00',
        },
      ],
      author_post_count: [{ author_id: ana, posts: 1 }],
    });
  });
  it('waits for every one of its media', async () => {
    expect(await projected(posts, [published(1, [photo, second]), ready(2)])).toMatchObject({
      post: [{ live: true, visible: false }],
      author_post_count: [{ posts: 0 }],
    });
    expect(await projected(posts, [ready(1, second), published(2, [photo, second]), ready(3)])).toMatchObject(
      { post: [{ visible: true }], author_post_count: [{ posts: 1 }] },
    );
  });
  it('never shows with media that was rejected, though it had been called ready', async () => {
    expect(await projected(posts, [published(1), ready(2), rejected(3)])).toMatchObject({
      post: [{ live: true, visible: false }],
      post_media: [{ media_id: photo, owner_id: ana, live: false }],
      author_post_count: [{ posts: 0 }],
    });
  });
  it('deleted leaves a tombstone without its words, and is counted no more', async () => {
    expect(await projected(posts, [published(1), ready(2), deleted(3)])).toMatchObject({
      post: [{ caption: null, location: null, media_ids: null, live: false, visible: false }],
      author_post_count: [{ posts: 0 }],
    });
  });
  it('that is older than its deletion does not come back', async () => {
    expect(await projected(posts, [deleted(3), ready(2), published(1)])).toMatchObject({
      post: [{ live: false, visible: false }],
      author_post_count: [{ author_id: ana, posts: 0 }],
    });
  });
  it.each([
    ['the post', nth(9), true],
    ['its deletion', nth(7), false],
  ])('and its deletion of the same moment: %s, whose id is larger, wins', async (_, id, live) => {
    const events = [ready(1), published(2, [photo], post, ana, id), deleted(2, post, ana, nth(8))];
    expect(await projected(posts, events)).toMatchObject({ post: [{ live, visible: live }] });
  });
  it('of an author who was erased is a tombstone, whose media may be ready', async () => {
    expect(await projected(posts, [published(1), ready(2)].map(erased))).toMatchObject({
      post: [{ post_id: post, author_id: ana, caption: null, location: null, media_ids: null, live: false }],
      author_post_count: [{ posts: 0 }],
    });
  });
});

it('an author’s count is of the posts that show, exactly', async () => {
  const events = [
    ...[ready(1), published(2), published(3, [photo], other), published(3, [photo], other)],
    ...[published(4, [second], nth(3)), deleted(5, other), ready(6, nth(13), ben)],
    published(7, [nth(13)], nth(4), ben),
  ];
  expect(await projected(posts, events)).toMatchObject({
    author_post_count: [
      { author_id: ana, posts: 1 },
      { author_id: ben, posts: 1 },
    ],
  });
});

it('one photo may belong to two posts, and shows both', async () => {
  const events = [published(1), published(2, [photo, second], other), ready(3), ready(4, second)];
  expect(await projected(posts, events)).toMatchObject({
    post: [{ visible: true }, { visible: true }],
    author_post_count: [{ posts: 2 }],
  });
});

it('posts of somebody who was erased are tombstones, and their media too', async () => {
  const erasure = event('UserErased', { userId: ana }, noon + 3);
  const events = [published(1), ready(2), erasure, published(4, [second], other), ready(5, second)];
  const gone = { author_id: ana, caption: null, media_ids: null, live: false, visible: false };
  expect(await projected(posts, events)).toMatchObject({
    post: [gone, gone],
    post_media: [{ live: false }, { live: false }],
    author_post_count: [{ author_id: ana, posts: 0 }],
  });
});
