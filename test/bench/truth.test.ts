import { expect, it } from 'vitest';
import { type ArrivedFollow, type Facts, type FeedAnswer, faultOf } from '../../tools/bench/feed/truth.ts';

const reader = 'reader';
const arrived = (sentAt: number, ackedAt = sentAt + 10) => ({ arrival: { sentAt, ackedAt } });
const posts = { ann: ['a2', 'a1'], ben: ['b1'] } as Record<string, string[]>;
const times: Record<string, number> = { a1: 1, b1: 2, a2: 3 };

function facts(
  follows: ArrivedFollow[],
  likes: Partial<Record<string, ReturnType<Facts['likesOf']>>> = {},
): Facts {
  return {
    postsOf: (authorId) =>
      (posts[authorId] ?? []).map((postId) => ({ postId, authorId, at: times[postId]! })),
    captionOf: (postId) => `caption of ${postId}`,
    followsOf: () => follows,
    likesOf: (postId) => likes[postId] ?? [],
  };
}

const followsAnn = { authorId: 'ann', since: 0, ...arrived(0, 0) };
const followsBenLater = { authorId: 'ben', since: 100, ...arrived(100, 110) };

function answer(ids: string[], more: Partial<FeedAnswer> = {}, own: object = {}): FeedAnswer {
  const items = ids.map((id) => ({
    id,
    caption: `caption of ${id}`,
    author: { id: id.startsWith('a') ? 'ann' : 'ben' },
    likeCount: 0,
    likedByViewer: false,
    ...own,
  }));
  return { readerId: reader, asOf: 50, receivedAt: 60, items, ...more };
}

it('a feed of what was followed is true, in its order alone', () => {
  expect(faultOf(answer(['a2', 'a1']), facts([followsAnn]), 20)).toBeNull();
  expect(faultOf(answer(['a1', 'a2']), facts([followsAnn]), 20)).toMatch('the feed of reader');
  expect(faultOf(answer(['a2']), facts([followsAnn]), 20)).toMatch('the feed of reader');
});

it('a follow must be in it once the answer says that it has all from before, and not before it was sent', () => {
  const known = facts([followsAnn, followsBenLater]);
  const without = ['a2', 'a1'];
  const within = ['a2', 'b1', 'a1'];
  expect(faultOf(answer(without, { asOf: 50, receivedAt: 99 }), known, 20)).toBeNull();
  expect(faultOf(answer(within, { asOf: 50, receivedAt: 99 }), known, 20)).toMatch('1 to 1 follows');
  expect(faultOf(answer(without, { asOf: 105, receivedAt: 120 }), known, 20)).toBeNull();
  expect(faultOf(answer(within, { asOf: 105, receivedAt: 120 }), known, 20)).toBeNull();
  expect(faultOf(answer(within, { asOf: 111, receivedAt: 120 }), known, 20)).toBeNull();
  expect(faultOf(answer(without, { asOf: 111, receivedAt: 120 }), known, 20)).toMatch('2 to 2 follows');
});

it('counts lie between what was there for sure and what may be there', () => {
  const likes = {
    a1: [
      { likerId: 'x', ...arrived(0, 0) },
      { likerId: 'y', ...arrived(100) },
    ],
  };
  const known = facts([followsAnn], likes);
  const counted = (likeCount: number, at: Partial<FeedAnswer>) =>
    faultOf(answer(['a2', 'a1'], at, { likeCount }), facts([followsAnn], { ...likes, a2: likes.a1 }), 20);
  expect(faultOf(answer(['a2', 'a1']), known, 20)).toMatch(
    'a1 in the feed of reader: 0 likes instead of 1 to 1',
  );
  expect(counted(1, { asOf: 50, receivedAt: 60 })).toBeNull();
  expect(counted(2, { asOf: 50, receivedAt: 60 })).toMatch('2 likes instead of 1 to 1');
  expect(counted(2, { asOf: 50, receivedAt: 100 })).toBeNull();
  expect(counted(1, { asOf: 111, receivedAt: 200 })).toMatch('1 likes instead of 2 to 2');
});

it('whether the reader likes a post is told as it is', () => {
  const mine = { likerId: reader, ...arrived(100) };
  const known = facts([followsAnn], { a1: [mine], a2: [mine] });
  const told = (likedByViewer: boolean, at: Partial<FeedAnswer>) =>
    faultOf(answer(['a2', 'a1'], at, { likedByViewer, likeCount: at.asOf! > 110 ? 1 : 0 }), known, 20);
  expect(told(false, { asOf: 50, receivedAt: 60 })).toBeNull();
  expect(told(true, { asOf: 50, receivedAt: 60 })).toMatch('has not liked it');
  expect(told(true, { asOf: 50, receivedAt: 105 })).toBeNull();
  expect(told(false, { asOf: 111, receivedAt: 200 })).toMatch('has liked it');
});

it('a post is what its author wrote', () => {
  const strange = answer(['a2', 'a1'], {}, { caption: 'another' });
  expect(faultOf(strange, facts([followsAnn]), 20)).toMatch('its caption is "another"');
  const stolen = answer(['a2', 'a1'], {}, { author: { id: 'ben' } });
  expect(faultOf(stolen, facts([followsAnn]), 20)).toMatch('ben is not its author');
});
