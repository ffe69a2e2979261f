import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Person } from '../harness/client.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';
import { eventually, type People, peopleOf } from './people.ts';

const patience = 120_000;

let world: World;
let people: People;
let owner: Person;
let follower: Person;
let stranger: Person;
/** By state: a post of the owner's and its media. */
const posts: Record<string, { id: string; media: string }> = {};

beforeAll(async () => {
  world = await startWorld({ services: ['command-api', 'query-api', 'projectors', 'media-pipeline'] });
  people = peopleOf(world);
  const { api } = world;
  [owner, follower, stranger] = [await api.register(), await api.register(), await api.register()];
  await people.follow(follower, owner);
  const ready = await people.photo(owner);
  posts.ready = { id: await api.publish(owner, [ready]), media: ready };
  posts.deleted = { id: await api.publish(owner, [ready]), media: ready };
  await people.remove(owner, posts.deleted.id);
  await world.drained(patience);
  await postOf('failed', Buffer.from('This is no photograph.'));
  world.services['media-pipeline'].signal('SIGCONT');
  const failed = `/api/media/${posts.failed!.media}`;
  await eventually(async () => (await people.read(owner, failed)).state === 'rejected');
  await world.drained(patience);
  await postOf('processing');
  // It waits for every model: from here on nobody needs to.
  await people.feed(stranger);
}, 240_000);
afterAll(() => world?.stop());

/** A post whose media is in the pipeline still, which is stopped. */
async function postOf(state: string, bytes?: Buffer): Promise<void> {
  world.services['media-pipeline'].signal('SIGSTOP');
  const media = await world.api.upload(owner, bytes);
  posts[state] = { id: await world.api.publish(owner, [media]), media };
  for (const person of [follower, stranger]) person.position = owner.position;
}

type Viewer = 'nobody' | 'stranger' | 'follower' | 'owner';
const personOf = (viewer: Viewer): Person | null =>
  viewer === 'nobody' ? null : { stranger, follower, owner }[viewer];

const whoSees: Record<string, Viewer[]> = {
  ready: ['nobody', 'stranger', 'follower', 'owner'],
  processing: ['owner'],
  failed: ['owner'],
  deleted: [],
};
const table = Object.entries(whoSees).flatMap(([state, viewers]) =>
  (['nobody', 'stranger', 'follower', 'owner'] as const).map(
    (viewer) => [state, viewer, viewers.includes(viewer)] as const,
  ),
);

describe('every read asks the same rules', { timeout: patience }, () => {
  it.each(table)('a %s post, seen by %s: %s', async (state, viewer, shown) => {
    const person = personOf(viewer);
    const { id, media } = posts[state]!;
    const found = shown ? 200 : 404;
    expect(await people.status(person, `/api/posts/${id}`)).toBe(found);
    expect(await people.status(person, `/api/posts/${id}/likes`)).toBe(found);
    for (const list of [`/api/users/${owner.username}/posts`, `/api/posts/user/${owner.id}`])
      expect((await people.pages(person, list, 100)).flat().includes(id), list).toBe(shown);
    const inFeed = person ? (await people.feed(person)).includes(id) : false;
    expect(inFeed).toBe(shown && (viewer === 'follower' || viewer === 'owner'));
    const own = { nobody: 401, stranger: 404, follower: 404, owner: 200 }[viewer];
    expect(await people.status(person, `/api/media/${media}`)).toBe(own);
    // A counter is the same for everybody: it counts what shows.
    expect(await people.read(person, `/api/users/${owner.username}`)).toMatchObject({ postsCount: 1 });
  });

  it('the state is told to whom the post shows', async () => {
    for (const state of ['ready', 'processing', 'failed'])
      expect(await people.read(owner, `/api/posts/${posts[state]!.id}`)).toMatchObject({ state });
  });

  it.each(['ready', 'processing', 'deleted'])(
    'a stranger does nothing to a %s post or its media',
    async (state) => {
      const { id, media } = posts[state]!;
      const act = async (who: Person | null, method: string, path: string, body?: unknown) => {
        const answer = who
          ? await world.api.as(who, method, path, body)
          : await world.api.call(method, path, { body, headers: { 'idempotency-key': 'k' } });
        return `${answer.status} ${answer.body.code}`;
      };
      const remove = await act(stranger, 'DELETE', `/api/posts/${id}`);
      expect(remove).toBe(state === 'ready' ? '403 not_allowed' : '404 post_not_found');
      expect(await act(stranger, 'POST', `/api/media/uploads/${media}/complete`)).toBe('404 media_not_found');
      expect(await act(stranger, 'POST', '/api/posts', { media: [media] })).toBe('404 media_not_found');
      const profile = { fullName: 'A stranger', bio: '', website: null, gender: null, avatarMediaId: media };
      expect(await act(stranger, 'PUT', '/api/users/me', profile)).toBe('404 media_not_found');
      if (state !== 'ready')
        expect(await act(stranger, 'POST', `/api/posts/${id}/like`)).toBe('404 post_not_found');
      for (const [method, path, body] of [
        ['DELETE', `/api/posts/${id}`],
        ['POST', `/api/posts/${id}/like`],
        ['POST', `/api/media/uploads/${media}/complete`],
        ['POST', '/api/posts', { media: [media] }],
      ] as const)
        expect(await act(null, method, path, body)).toBe('401 token_missing');
      const seen = state === 'deleted' ? 404 : 200;
      expect(await people.status(owner, `/api/posts/${id}`)).toBe(seen);
    },
  );

  it('fills up a page that the rules thin out', async () => {
    const { api } = world;
    const { media: waiting } = posts.processing!;
    const shown: string[] = [posts.ready!.id];
    const publish = async (media: string): Promise<void> => {
      const id = await api.publish(owner, [media]);
      if (media === posts.ready!.media) shown.unshift(id);
    };
    for (const run of [2, 12, 1, 1, 3]) {
      for (let i = 0; i < run; i += 1) await publish(waiting);
      for (let i = 0; i < 3; i += 1) await publish(posts.ready!.media);
    }
    for (const person of [follower, stranger]) person.position = owner.position;
    for (const limit of [1, 2, 5]) {
      const full = (pages: string[][]) => pages.slice(0, -1).every((page) => page.length === limit);
      for (const [person, list] of [
        [follower, '/api/feed'],
        [stranger, `/api/users/${owner.username}/posts`],
      ] as const) {
        const pages = await people.pages(person, list, limit);
        expect(pages.flat()).toEqual(shown);
        expect(full(pages), `${list} by ${limit}: ${pages.map((page) => page.length)}`).toBe(true);
      }
    }
  });
});

describe('a list is read to its end, each item once, while it grows', { timeout: patience }, () => {
  let star: Person;
  let crowd: Person[];
  let photo: string;

  beforeAll(async () => {
    world.services['media-pipeline'].signal('SIGCONT');
    const { api } = world;
    star = await api.register();
    crowd = [];
    for (let i = 0; i < 11; i += 1) crowd.push(await api.register());
    photo = await people.photo(star);
  }, patience);

  /** The first seven are there before; the others come between the pages. */
  async function readWhileGrowing(
    reader: Person | null,
    path: string,
    grow: (index: number) => Promise<string>,
  ): Promise<void> {
    const there: string[] = [];
    for (let i = 0; i < 7; i += 1) there.unshift(await grow(i));
    await world.drained(patience);
    const pages = await people.pages(reader, path, 2, async (page) => {
      if (page < 5) await grow(6 + page);
    });
    expect(pages.flat()).toEqual(there);
    expect(pages.map((page) => page.length)).toEqual([2, 2, 2, 1]);
  }

  it('followers, and whom one follows', async () => {
    await readWhileGrowing(null, `/api/users/${star.username}/followers`, async (index) => {
      await people.follow(crowd[index]!, star);
      return crowd[index]!.id;
    });
    await readWhileGrowing(star, `/api/users/${star.username}/following`, async (index) => {
      await people.follow(star, crowd[index]!);
      return crowd[index]!.id;
    });
  });

  it('posts and likes', async () => {
    const grow = () => world.api.publish(star, [photo]);
    await readWhileGrowing(null, `/api/users/${star.username}/posts`, grow);
    const liked = await grow();
    for (const person of crowd) person.position = star.position;
    await readWhileGrowing(null, `/api/posts/${liked}/likes`, async (index) => {
      await people.like(crowd[index]!, liked);
      return crowd[index]!.id;
    });
  });

  it('the feed', async () => {
    const reader = await world.api.register();
    const author = crowd[0]!;
    const own = await people.photo(author);
    await people.follow(reader, author);
    await readWhileGrowing(reader, '/api/feed', () => world.api.publish(author, [own]));
  });

  it('people found', async () => {
    const name = `zed_${crowd[0]!.username.slice(-6)}`;
    await readWhileGrowing(null, `/api/users?q=${name.toUpperCase()}`, async (index) => {
      return (await world.api.register(`${name}_${index}`)).id;
    });
  });
});

it('verify finds no difference', () => expectVerified(world), patience);
