import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { partitionOf } from '../../platform/log/partition.ts';
import { fetchHeads } from '../../platform/log/topics.ts';
import { expectStatus, type Person } from '../harness/client.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';
import { ask } from '../visibility/stage.ts';
import { peopleOf } from './people.ts';

const patience = 120_000;

let world: World;
/** Position of the newest act of anybody: all of them know of each other. */
const known: { position: string | null } = { position: null };

beforeAll(async () => {
  world = await startWorld({ services: ['command-api', 'query-api', 'projectors', 'media-pipeline'] });
}, 180_000);
afterAll(() => world?.stop());

interface Author {
  person: Person;
  /** Newest first. */
  posts: string[];
}

/** Somebody with so many posts. */
async function author(count: number): Promise<Author> {
  const person = await world.api.register();
  const photo = await peopleOf(world).photo(person);
  known.position = person.position;
  const posts: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const { body } = await ask({ world, known }, person, 'POST', '/api/posts', { media: [photo] });
    posts.unshift(body.id);
  }
  await world.drained(patience);
  return { person, posts };
}

const say = async (who: Person, method: string, path: string, body?: unknown) => {
  const answer = await ask({ world, known }, who, method, path, body);
  expectStatus(answer, 200);
  return answer.body;
};
const follow = (who: Person, whom: Person) => say(who, 'POST', `/api/users/${whom.username}/follow`);
const unfollow = (who: Person, whom: Person) => say(who, 'DELETE', `/api/users/${whom.username}/follow`);
const goPrivate = (who: Person, isPrivate: boolean) => {
  const profile = { fullName: 'Somebody', bio: '', website: null, gender: null, avatarMediaId: null };
  return say(who, 'PUT', '/api/users/me', { ...profile, isPrivate });
};
const answer = (who: Person, whom: Person, what: 'approve' | 'decline') =>
  say(who, 'POST', `/api/users/me/follow-requests/${whom.username}/${what}`);

const idsOf = (page: { items: { id: string }[] }): string[] => page.items.map(({ id }) => id);
const asking = async (who: Person) => idsOf(await say(who, 'GET', '/api/users/me/follow-requests'));
const feed = async (who: Person) => idsOf(await say(who, 'GET', '/api/feed?limit=100'));
const counts = async (who: Person) => {
  const { followersCount, followingCount } = await say(who, 'GET', '/api/users/me');
  return [followersCount, followingCount];
};

describe('a private account', { timeout: patience }, () => {
  let owner: Person;
  let posts: string[];
  let fan: Person;

  beforeAll(async () => {
    ({ person: owner, posts } = await author(23));
    ({ person: fan } = await author(0));
    expect(await goPrivate(owner, true)).toMatchObject({ isPrivate: true });
  }, patience);

  it('is asked, and shows nothing until it has answered', async () => {
    for (let n = 0; n < 2; n += 1)
      expect(await follow(fan, owner)).toEqual({ following: false, requested: true });
    expect(await asking(owner)).toEqual([fan.id]);
    const seen = await say(fan, 'GET', `/api/users/${owner.username}`);
    expect(seen).toMatchObject({ isPrivate: true, followedByViewer: false, requestedByViewer: true });
    expect([await feed(fan), await counts(owner), await counts(fan)]).toEqual([[], [0, 0], [0, 0]]);
  });

  it('lets in: a follow since then, with the newest posts from before', async () => {
    for (let n = 0; n < 2; n += 1) expect(await answer(owner, fan, 'approve')).toEqual({ approved: true });
    expect([await asking(owner), await counts(owner), await counts(fan)]).toEqual([[], [1, 0], [0, 1]]);
    expect(await feed(fan)).toEqual(posts.slice(0, 20));
    expect(await follow(fan, owner)).toEqual({ following: true, requested: false });
    expect([await asking(owner), await counts(owner), await feed(fan)]).toEqual([
      [],
      [1, 0],
      posts.slice(0, 20),
    ]);
  });

  it('takes a follow away, with all that it brought', async () => {
    for (let n = 0; n < 2; n += 1)
      expect(await say(owner, 'DELETE', `/api/users/me/followers/${fan.username}`)).toEqual({
        follower: false,
      });
    expect([await feed(fan), await counts(owner), await counts(fan)]).toEqual([[], [0, 0], [0, 0]]);
    expect(await follow(fan, owner)).toEqual({ following: false, requested: true });
  });

  it('may decline, and be asked again', async () => {
    for (let n = 0; n < 2; n += 1) expect(await answer(owner, fan, 'decline')).toEqual({ approved: false });
    expect(await asking(owner)).toEqual([]);
    expect(await follow(fan, owner)).toEqual({ following: false, requested: true });
    expect(await asking(owner)).toEqual([fan.id]);
  });

  it('is not asked any more by who takes it back', async () => {
    for (let n = 0; n < 2; n += 1)
      expect(await unfollow(fan, owner)).toEqual({ following: false, requested: false });
    expect(await asking(owner)).toEqual([]);
    const refused = await ask(
      { world, known },
      owner,
      'POST',
      `/api/users/me/follow-requests/${fan.username}/approve`,
    );
    expect(refused).toMatchObject({ status: 404, body: { code: 'follow_request_not_found' } });
  });

  it('keeps its followers when it goes private, and lets nobody in by going public', async () => {
    const { person: early } = await author(0);
    await goPrivate(owner, false);
    await follow(early, owner);
    // With their own position alone: within a second command-api remembers the owner from before.
    const again = async (): Promise<void> => {
      const answered = await world.api.as(early, 'POST', `/api/users/${owner.username}/follow`);
      expect(answered.body).toEqual({ following: true, requested: false });
    };
    await again();
    await goPrivate(owner, true);
    await world.drained(patience);
    await again();
    await world.drained(patience);
    expect(await feed(early)).toEqual(posts.slice(0, 20));
    await follow(fan, owner);
    await goPrivate(owner, false);
    expect([await asking(owner), await feed(fan), await counts(owner)]).toEqual([[fan.id], [], [1, 0]]);
    expect(await follow(fan, owner)).toEqual({ following: true, requested: false });
    expect([await asking(owner), await feed(fan), await counts(owner)]).toEqual([
      [],
      posts.slice(0, 20),
      [2, 0],
    ]);
  });
});

describe('a block', { timeout: patience }, () => {
  let ann: Author;
  let ben: Author;

  const block = (method: 'POST' | 'DELETE') =>
    say(ann.person, method, `/api/users/${ben.person.username}/block`);
  const both = async <T>(look: (who: Person) => Promise<T>): Promise<T[]> => [
    await look(ann.person),
    await look(ben.person),
  ];

  beforeAll(async () => {
    [ann, ben] = [await author(2), await author(2)];
    await follow(ann.person, ben.person);
    await follow(ben.person, ann.person);
  }, patience);

  it('takes each out of the other’s feed and counts', async () => {
    expect(await both(feed)).toEqual([
      [...ben.posts, ...ann.posts],
      [...ben.posts, ...ann.posts],
    ]);
    for (let n = 0; n < 2; n += 1) expect(await block('POST')).toEqual({ blocking: true });
    expect(await both(feed)).toEqual([ann.posts, ben.posts]);
    expect(await both(counts)).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(idsOf(await say(ann.person, 'GET', '/api/users/me/blocks'))).toEqual([ben.person.id]);
  });

  it('that ends brings nothing back; a new follow does', async () => {
    for (let n = 0; n < 2; n += 1) expect(await block('DELETE')).toEqual({ blocking: false });
    expect(await both(feed)).toEqual([ann.posts, ben.posts]);
    expect(idsOf(await say(ann.person, 'GET', '/api/users/me/blocks'))).toEqual([]);
    await follow(ben.person, ann.person);
    expect(await both(feed)).toEqual([ann.posts, [...ben.posts, ...ann.posts]]);
    expect(await both(counts)).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});

it('verify finds no difference', () => expectVerified(world), patience);

it(
  'an edit that says nothing of the privacy keeps what another device has just said, whoever is behind',
  async () => {
    const { person: owner } = await author(0);
    const profile = { fullName: 'Somebody', bio: '', website: null, gender: null, avatarMediaId: null };
    // Without a position: neither device knows of the other.
    const edit = (more: object) =>
      world.api.call('PUT', '/api/users/me', { token: owner.token, body: { ...profile, ...more } });
    await world.drained(patience);
    world.services.projectors.signal('SIGSTOP');
    expectStatus(await edit({ isPrivate: true }), 200);
    const forgetful = await edit({ bio: 'Hello' });
    world.services.projectors.signal('SIGCONT');
    expect(forgetful).toMatchObject({ status: 503, body: { code: 'position_timeout' } });
    await vi.waitFor(async () => expectStatus(await edit({ bio: 'Hello' }), 200), patience);
    await world.drained(patience);
    expect(await say(owner, 'GET', '/api/users/me')).toMatchObject({ bio: 'Hello', isPrivate: true });
  },
  patience,
);

describe('while a record of somebody is parked', { timeout: patience }, () => {
  const profile = { fullName: 'Somebody', bio: '', website: null, gender: null, avatarMediaId: null };
  const edit = (who: Person, more: object) =>
    world.api.call('PUT', '/api/users/me', { token: who.token, body: { ...profile, ...more } });
  const park = async (key: string, offset: bigint) => {
    await world.owner.query(
      `INSERT INTO engine.parked (consumer, topic, partition, "offset", key, value, code, detail)
       VALUES ('accounts.v1', 'user-events', $1, $2, $3, '', 'undecodable', 'by hand')`,
      [partitionOf(key, 4), offset.toString(), key],
    );
  };
  /** The id of nobody, in the partition of this one. */
  const neighbourOf = (id: string): string => {
    for (;;) {
      const other = randomUUID();
      if (partitionOf(other, 4) === partitionOf(id, 4)) return other;
    }
  };
  const headOf = async (key: string): Promise<bigint> => {
    const heads = await fetchHeads(world.kafka, world.prefix, ['user-events']);
    return heads.get('user-events')![partitionOf(key, 4)]!;
  };
  afterEach(() => world.owner.query("DELETE FROM engine.parked WHERE detail = 'by hand'"));

  it('their privacy is not known, so only an edit that needs none is taken', async () => {
    const { person } = await author(0);
    await park(person.id, 0n);
    for (const more of [{}, { isPrivate: true }])
      expect(await edit(person, more)).toMatchObject({ status: 503, body: { code: 'key_parked' } });
    expectStatus(await edit(person, { isPrivate: false }), 200);
  });

  it('others of the same partition edit theirs', async () => {
    const { person } = await author(0);
    await world.drained(patience);
    await park(neighbourOf(person.id), (await headOf(person.id)) - 1n);
    expectStatus(await edit(person, {}), 200);
  });
});
