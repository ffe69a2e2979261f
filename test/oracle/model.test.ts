import { describe, expect, it } from 'vitest';
import type { Fact, What } from './fact.ts';
import { createOracle } from './oracle.ts';

const profile = {
  fullName: 'Somebody',
  bio: '',
  website: null,
  gender: null,
  avatarMediaId: null,
  privateSince: null,
};
const ready = { width: 1, height: 1, placeholder: '', dominantColor: '#000000', variants: [] };

const at = (time: number, what: What, id = `${time}`): Fact => ({ at: time, id, ...what });
const person = (name: string): Fact =>
  at(1, { what: 'registered', person: name, username: name, email: '', dateOfBirth: '', profile });
const photo = (media: string, owner: string): Fact => at(2, { what: 'ready', media, owner, ...ready });
const follow = (time: number, follower: string, followee: string, since = time): Fact =>
  at(time, { what: 'followed', follower, followee, since });
const post = (time: number, name: string, author: string, media = [`of ${author}`]): Fact => {
  const rest = { caption: '', location: null, isReel: false, hideCounts: false, commentsOff: false };
  return at(time, { what: 'published', post: name, author, media, ...rest }, name);
};

const people = ['ann', 'ben', 'cat'];
const given = (...facts: Fact[]) =>
  createOracle(
    [...people.map(person), ...people.map((name) => photo(`of ${name}`, name)), ...facts],
    'http://here',
  );
const idsOf = (items: readonly { id: string }[] | null): string[] | undefined => items?.map(({ id }) => id);

describe('the oracle’s feed', () => {
  it('has the 20 newest posts before a follow, all since, and one’s own', () => {
    const before = Array.from({ length: 25 }, (_, n) => post(10 + n, `before ${10 + n}`, 'ben'));
    const oracle = given(
      ...before,
      follow(50, 'ann', 'ben'),
      post(50, 'at once', 'ben'),
      post(60, 'own', 'ann'),
    );
    const feed = idsOf(oracle.feed('ann'))!;
    expect(feed).toEqual([
      'own',
      'at once',
      ...before
        .slice(5)
        .map(({ id }) => id)
        .reverse(),
    ]);
    expect(idsOf(oracle.feed('ben'))).toHaveLength(26);
    expect(oracle.feed('cat')).toEqual([]);
  });

  it('counts from the first of several follows, and holds nothing of who is left', () => {
    const posts = Array.from({ length: 22 }, (_, n) => post(10 + n, `post ${10 + n}`, 'ben'));
    expect(given(follow(5, 'ann', 'ben'), follow(99, 'ann', 'ben', 5), ...posts).feed('ann')).toHaveLength(
      22,
    );
    expect(given(follow(99, 'ann', 'ben'), ...posts).feed('ann')).toHaveLength(20);
    const left = at(100, { what: 'unfollowed', follower: 'ann', followee: 'ben' });
    expect(given(left, follow(99, 'ann', 'ben'), ...posts).feed('ann')).toEqual([]);
  });

  it('ends after the newest thousand; of one moment the greater id comes first', () => {
    const posts = Array.from({ length: 1_002 }, (_, n) => post(10, `post ${10_000 + n}`, 'ann'));
    const feed = idsOf(given(...posts).feed('ann'))!;
    expect([feed.length, feed[0], feed.at(-1)]).toEqual([1_000, 'post 11001', 'post 10002']);
  });
});

describe('of contradicting facts the newest stands, in whatever order they come', () => {
  const like = (time: number, what: 'liked' | 'unliked', id?: string): Fact =>
    at(time, { what, post: 'p', liker: 'cat' }, id);

  it.each([
    ['the later', [like(20, 'liked'), like(21, 'unliked')], 0],
    ['the later, first', [like(22, 'liked'), like(21, 'unliked')], 1],
    ['of one moment the greater id', [like(20, 'liked', 'b'), like(20, 'unliked', 'a')], 1],
  ])('%s', (_, facts, likes) => {
    for (const order of [facts, facts.toReversed()]) {
      const seen = given(post(10, 'p', 'ann'), ...order).post('cat', 'p');
      expect(seen).toMatchObject({ likeCount: likes, likedByViewer: likes === 1 });
    }
  });

  it('a deleted post is nowhere, and counts nowhere', () => {
    const oracle = given(at(20, { what: 'deleted', post: 'p', author: 'ann' }), post(10, 'p', 'ann'));
    expect([oracle.post('ann', 'p'), oracle.likers('ann', 'p'), oracle.postsOf('ann', 'ann')]).toEqual([
      null,
      null,
      [],
    ]);
    expect(oracle.user(null, 'ann')?.postsCount).toBe(0);
  });
});

it('a post whose media is not ready is its author’s alone, and counts for nobody', () => {
  const rejected = at(5, { what: 'rejected', media: 'text', owner: 'ann', reason: 'media_not_an_image' });
  const oracle = given(rejected, post(10, 'p', 'ann', ['of ann', 'text']));
  expect(oracle.post('ann', 'p')).toMatchObject({ state: 'failed' });
  expect([oracle.post('ben', 'p'), oracle.post(null, 'p')]).toEqual([null, null]);
  expect(oracle.user('ann', 'ann')?.postsCount).toBe(0);
  expect([oracle.media('ann', 'text')?.reason, oracle.media('ben', 'text')]).toEqual([
    'media_not_an_image',
    null,
  ]);
});

describe('between people', () => {
  const edge = (time: number, what: 'unfollowed' | 'granted' | 'declined' | 'cancelled' | 'removed'): Fact =>
    at(time, { what, follower: 'ann', followee: 'ben' });
  const asked = (time: number, since = time): Fact =>
    at(time, { what: 'asked', follower: 'ann', followee: 'ben', since });
  const secret = (time: number, privateSince: number | null = time): Fact =>
    at(time, { what: 'edited', person: 'ben', profile: { ...profile, privateSince } });
  const blocked = (time: number, blocker: string, of: string): Fact =>
    at(time, { what: 'blocked', blocker, blocked: of, since: time });
  const unblocked = (time: number, blocker: string, of: string): Fact =>
    at(time, { what: 'unblocked', blocker, blocked: of });
  const inAnyOrder = (facts: Fact[], seen: (oracle: ReturnType<typeof given>) => unknown, right: unknown) => {
    for (const order of [facts, facts.toReversed()]) expect(seen(given(...order))).toEqual(right);
  };
  const p = post(50, 'p', 'ben');

  it('a private account shows to whom it has let in, to those from before, and to itself', () => {
    const sees = (viewer: string | null) => (oracle: ReturnType<typeof given>) =>
      oracle.post(viewer, 'p') !== null;
    inAnyOrder([p, secret(10)], sees(null), false);
    inAnyOrder([p, secret(10)], sees('ben'), true);
    inAnyOrder([p, secret(10), follow(9, 'ann', 'ben')], sees('ann'), true);
    inAnyOrder([p, secret(10), follow(11, 'ann', 'ben')], sees('ann'), false);
    inAnyOrder([p, secret(10), asked(11)], sees('ann'), false);
    inAnyOrder([p, secret(10), asked(11), edge(12, 'granted')], sees('ann'), true);
    inAnyOrder([p, secret(10), asked(11), edge(12, 'granted'), asked(13, 11)], sees('ann'), true);
    inAnyOrder([p, secret(10), asked(11), edge(12, 'granted'), edge(13, 'removed')], sees('ann'), false);
    inAnyOrder([p, secret(10), asked(11), secret(20, null)], sees('ann'), true);
  });

  it('a request waits until it is answered, taken back or cut, whatever becomes of the privacy', () => {
    const waits = (oracle: ReturnType<typeof given>) => idsOf(oracle.requests('ben'));
    inAnyOrder([secret(10), asked(11)], waits, ['ann']);
    inAnyOrder([secret(10), asked(11), secret(20, null)], waits, ['ann']);
    for (const what of ['granted', 'declined', 'cancelled', 'removed'] as const)
      inAnyOrder([secret(10), asked(11), edge(12, what)], waits, []);
    inAnyOrder([secret(10), asked(11), blocked(12, 'ann', 'ben')], waits, []);
  });

  it('a block makes both vanish and ends what is older, in the counts too', () => {
    const counts = (oracle: ReturnType<typeof given>) => [
      oracle.user(null, 'ben')!.followersCount,
      oracle.user(null, 'ann')!.followingCount,
      oracle.user('ann', 'ben') === null,
      oracle.user('ben', 'ann') === null,
    ];
    const before = [p, follow(9, 'ann', 'ben')];
    inAnyOrder([...before, blocked(10, 'ben', 'ann')], counts, [0, 0, true, true]);
    inAnyOrder([...before, blocked(10, 'ann', 'ben')], counts, [0, 0, true, true]);
    inAnyOrder([...before, blocked(10, 'ben', 'ann'), unblocked(11, 'ben', 'ann')], counts, [
      0,
      0,
      false,
      false,
    ]);
    const again = [blocked(10, 'ben', 'ann'), unblocked(11, 'ben', 'ann'), follow(12, 'ann', 'ben')];
    inAnyOrder([...before, ...again], counts, [1, 1, false, false]);
  });
});
