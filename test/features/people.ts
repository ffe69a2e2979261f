import { type Answer, expectStatus, type Person } from '../harness/client.ts';
import type { World } from '../harness/world.ts';

/** What people do, said in one word each; every one of them throws unless it is accepted. */
export interface People {
  follow(who: Person, whom: Person): Promise<void>;
  unfollow(who: Person, whom: Person): Promise<void>;
  /** Writes their profile anew. */
  goPrivate(who: Person, isPrivate: boolean): Promise<void>;
  approve(who: Person, whom: Person): Promise<void>;
  block(who: Person, whom: Person): Promise<void>;
  unblock(who: Person, whom: Person): Promise<void>;
  like(who: Person, postId: string): Promise<void>;
  unlike(who: Person, postId: string): Promise<void>;
  remove(author: Person, postId: string): Promise<void>;
  /** A media of theirs that is ready. */
  photo(owner: Person): Promise<string>;
  /** What a read answers them (null: nobody), waiting for their own writes. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes are looked into
  read(who: Person | null, path: string): Promise<any>;
  /** The status and code of a read. */
  status(who: Person | null, path: string): Promise<number>;
  /** Ids of all the list's items, page by page, `limit` on each; `between` runs after each page. */
  pages(
    who: Person | null,
    path: string,
    limit: number,
    between?: (page: number) => Promise<void>,
  ): Promise<string[][]>;
  feed(who: Person): Promise<string[]>;
}

export function peopleOf(world: World): People {
  const { api } = world;
  const done = async (who: Person, method: string, path: string, status = 200): Promise<void> =>
    expectStatus(await api.as(who, method, path), status);
  const profile = { fullName: 'Somebody', bio: '', website: null, gender: null, avatarMediaId: null };
  const get = (who: Person | null, path: string): Promise<Answer> =>
    who ? api.as(who, 'GET', path) : api.call('GET', path);
  const read: People['read'] = async (who, path) => {
    const answer = await get(who, path);
    expectStatus(answer, 200);
    return answer.body;
  };
  const pages: People['pages'] = async (who, path, limit, between) => {
    const seen: string[][] = [];
    const list = `${path}${path.includes('?') ? '&' : '?'}limit=${limit}`;
    for (let cursor = ''; ; ) {
      const page = await read(who, `${list}${cursor && `&cursor=${cursor}`}`);
      seen.push(page.items.map((item: { id: string }) => item.id));
      if (page.nextCursor === null) return seen;
      cursor = page.nextCursor;
      await between?.(seen.length);
    }
  };
  return {
    follow: (who, whom) => done(who, 'POST', `/api/users/${whom.username}/follow`),
    unfollow: (who, whom) => done(who, 'DELETE', `/api/users/${whom.username}/follow`),
    async goPrivate(who, isPrivate) {
      expectStatus(await api.as(who, 'PUT', '/api/users/me', { ...profile, isPrivate }), 200);
    },
    approve: (who, whom) => done(who, 'POST', `/api/users/me/follow-requests/${whom.username}/approve`),
    block: (who, whom) => done(who, 'POST', `/api/users/${whom.username}/block`),
    unblock: (who, whom) => done(who, 'DELETE', `/api/users/${whom.username}/block`),
    like: (who, postId) => done(who, 'POST', `/api/posts/${postId}/like`),
    unlike: (who, postId) => done(who, 'DELETE', `/api/posts/${postId}/like`),
    remove: (author, postId) => done(author, 'DELETE', `/api/posts/${postId}`, 204),
    async photo(owner) {
      const mediaId = await api.upload(owner);
      await eventually(async () => (await read(owner, `/api/media/${mediaId}`)).state === 'ready');
      return mediaId;
    },
    read,
    status: async (who, path) => (await get(who, path)).status,
    pages,
    feed: async (who) => (await pages(who, '/api/feed', 100)).flat(),
  };
}

const patienceMs = 90_000;

/** Looks again and again until there is something true to see; says what was seen last when that takes too long. */
export async function eventually<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (const until = Date.now() + patienceMs; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const found = await look();
    if (found) return found;
    if (Date.now() > until) throw new Error(`it did not come: ${look}`);
  }
}
