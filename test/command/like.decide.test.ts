import { describe, expect, it } from 'vitest';
import { decideLike, decideUnlike, type LikeState } from '../../command-api/content/like.decide.ts';
import type { OwnerFacts } from '../../schemas/visibility/visibility.ts';
import { ana, ben, byAna, meta } from './given.ts';

const postId = '01900000-0000-7000-8000-000000000001';
const given = (
  post: Partial<NonNullable<LikeState['post']>> = {},
  relation: LikeState['relation'] = 'stranger',
  author: Partial<OwnerFacts> = {},
): LikeState => ({
  post: { postId, authorId: ben, live: true, mediaReady: true, ...post },
  author: { live: true, privateSince: null, ...author },
  relation,
});

describe('like', () => {
  it('is a fact of the liker that names the author', () => {
    expect(decideLike(given(), byAna())).toEqual({
      type: 'PostLiked',
      meta,
      postId,
      likerId: ana,
      authorId: ben,
    });
  });
  it.each([
    ['unknown', { ...given(), post: null }],
    ['of somebody unknown', { ...given(), author: null }],
    ['of who is blocked', given({}, 'blocker')],
    ['of who has blocked', given({}, 'blocked')],
    ['of a private account that one does not follow', given({}, 'requested', { privateSince: 1 })],
    ['deleted', given({ live: false })],
    ['not shown yet', given({ mediaReady: false })],
  ])('of a post that is %s is refused as not found', (_, state) => {
    expect(decideLike(state, byAna())).toMatchObject({ refused: 'post_not_found' });
  });
  it("of one's own post needs no ready media", () => {
    expect(decideLike(given({ mediaReady: false, authorId: ana }, 'owner'), byAna())).toMatchObject({
      type: 'PostLiked',
    });
  });
});

describe('unlike', () => {
  it('is possible when the post is deleted by now', () => {
    expect(decideUnlike(given({ live: false }), byAna())).toEqual({
      type: 'PostUnliked',
      meta,
      postId,
      likerId: ana,
      authorId: ben,
    });
  });
  it('is possible when the account is private by now, but not when one of both has blocked the other', () => {
    const hidden = given({}, 'stranger', { privateSince: 1 });
    expect(decideUnlike(hidden, byAna())).toMatchObject({ type: 'PostUnliked' });
    for (const relation of ['blocked', 'blocker'] as const)
      expect(decideUnlike(given({}, relation), byAna())).toMatchObject({ refused: 'post_not_found' });
  });
  it('of a post that never was is refused', () => {
    expect(decideUnlike({ ...given(), post: null }, byAna())).toMatchObject({
      refused: 'post_not_found',
    });
  });
});
