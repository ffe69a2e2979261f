import { describe, expect, it } from 'vitest';
import { unchanged } from '../../command-api/append/decision.ts';
import { type DeleteState, decideDelete, decidePublish } from '../../command-api/content/post.decide.ts';
import type { MediaFacts, MediaStage } from '../../command-api/media/media.decide.ts';
import { ana, ben, byAna, meta, newId } from './given.ts';

const command = {
  caption: 'First light',
  mediaIds: ['m1', 'm2'],
  location: null,
  isReel: false,
  hideCounts: false,
  commentsOff: false,
};
const media = (id: string, state: MediaStage = 'ready', ownerId = ana): [string, MediaFacts] => [
  id,
  { mediaId: id, ownerId, state, reason: state === 'rejected' ? 'media_not_an_image' : null },
];

describe('publish', () => {
  it('takes media that is ready or still in the pipeline, in the order given', () => {
    const state = { media: new Map([media('m2', 'uploaded'), media('m1')]) };
    expect(decidePublish(state, command, byAna())).toEqual({
      type: 'PostPublished',
      meta,
      postId: newId,
      authorId: ana,
      ...command,
    });
  });
  it.each([
    ['is unknown', [media('m1')], 'media_not_found'],
    ["is another's", [media('m1'), media('m2', 'ready', ben)], 'media_not_found'],
    ['was never uploaded', [media('m1'), media('m2', 'requested')], 'media_not_uploaded'],
    ['was rejected', [media('m1'), media('m2', 'rejected')], 'media_rejected'],
  ] as const)('is refused when a media %s', (_, known, refused) => {
    expect(decidePublish({ media: new Map(known) }, command, byAna())).toMatchObject({ refused });
  });
});

describe('delete', () => {
  const given = (authorId: string, relation: DeleteState['relation'], live = true): DeleteState => ({
    post: { postId: 'p1', authorId, live, mediaReady: true },
    author: { live: true, privateSince: null },
    relation,
  });
  it('is a fact of the author', () => {
    expect(decideDelete(given(ana, 'owner'), byAna())).toEqual({
      type: 'PostDeleted',
      meta,
      postId: 'p1',
      authorId: ana,
    });
  });
  it('of a deleted post adds nothing, because nothing brings it back', () => {
    expect(decideDelete(given(ana, 'owner', false), byAna())).toBe(unchanged);
  });
  it("of another's post is not allowed", () => {
    expect(decideDelete(given(ben, 'stranger'), byAna())).toMatchObject({ refused: 'not_allowed' });
  });
  it("of another's post that one can't see tells nothing of it", () => {
    expect(decideDelete(given(ben, 'stranger', false), byAna())).toMatchObject({ refused: 'post_not_found' });
    expect(decideDelete({ post: null, author: null, relation: 'stranger' }, byAna())).toMatchObject({
      refused: 'post_not_found',
    });
  });
});
