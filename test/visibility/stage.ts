import { randomUUID } from 'node:crypto';
import type { Relation } from '../../schemas/visibility/visibility.ts';
import { peopleOf } from '../features/people.ts';
import { type Answer, expectStatus, type Person } from '../harness/client.ts';
import type { World } from '../harness/world.ts';
import { connect } from '../stream/stage.ts';

/** Who asks; null: nobody. */
export type Looker = Person | null;

export type Publicity = 'public' | 'private';

/** Those who stand between nobody and the owner. */
export type Viewer = Exclude<Relation, 'nobody' | 'owner'>;
export const viewers: readonly Viewer[] = ['stranger', 'requested', 'follower', 'blocker', 'blocked'];

export interface Cast {
  world: World;
  owners: Record<Publicity, Person>;
  /** Private, so that an owner's follow is a request; each has a post. */
  viewers: Record<Viewer, Person>;
  /** Follows both owners and is followed by both; likes their posts, and they like the friend's. */
  friend: Person;
  posts: Map<Person, string>;
  photos: Map<Person, string>;
  /** What nobody may be told of who must not see a post. */
  secrets: Map<Person, string>;
  /** Position of the newest act of anybody: all of them know of each other. */
  known: { position: string | null };
  publish(author: Person): Promise<string>;
}

/** One request; whoever asks knows what everybody has done. */
export async function ask(
  { world, known }: Pick<Cast, 'world' | 'known'>,
  looker: Looker,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  if (looker === null) {
    const headers: Record<string, string> = method === 'GET' ? {} : { 'idempotency-key': randomUUID() };
    if (known.position) headers['x-min-position'] = known.position;
    return world.api.call(method, path, { body, headers });
  }
  looker.position = known.position;
  const answer = await world.api.as(looker, method, path, body);
  known.position = looker.position;
  return answer;
}

/** Whether the entry is on the list, which is read to its end; or the code that it is refused with. */
export async function pagesUntil(cast: Cast, looker: Looker, path: string, wanted: string): Promise<string> {
  for (let cursor = ''; ; ) {
    const page = await ask(cast, looker, 'GET', `${path}${path.includes('?') ? '&' : '?'}limit=2${cursor}`);
    if (page.status !== 200) return page.body.code;
    if (page.body.items.some(({ id }: { id: string }) => id === wanted)) return 'shown';
    if (page.body.nextCursor === null) return 'hidden';
    cursor = `&cursor=${page.body.nextCursor}`;
  }
}

export async function openCast(world: World): Promise<Cast> {
  const { api } = world;
  const people = peopleOf(world);
  const known: Cast['known'] = { position: null };
  const all = await Promise.all(Array.from({ length: 8 }, () => api.register()));
  const [open, closed, friend, ...rest] = all as [Person, Person, Person, ...Person[]];
  const photos = new Map<Person, string>();
  for (const person of all) photos.set(person, await people.photo(person));
  await world.drained(120_000);
  for (const { position } of all) known.position = position;
  const cast: Cast = {
    ...{ world, known, friend, photos, posts: new Map(), secrets: new Map() },
    owners: { public: open, private: closed },
    viewers: Object.fromEntries(viewers.map((viewer, n) => [viewer, rest[n]!])) as Cast['viewers'],
    async publish(author) {
      const answer = await ask({ world, known }, author, 'POST', '/api/posts', {
        media: [photos.get(author)!],
      });
      expectStatus(answer, 201);
      return answer.body.id;
    },
  };
  await liveTogether(cast);
  return cast;
}

/** Everything that may be seen of the owners, and every frame of theirs, comes to be while all are followers. */
async function liveTogether(cast: Cast): Promise<void> {
  const { friend, posts, secrets } = cast;
  const owners = Object.values(cast.owners);
  const lookers = Object.values(cast.viewers);
  for (const owner of owners) {
    for (const person of [friend, ...lookers]) {
      await act(cast, person, 'POST', owner, 'follow');
      await act(cast, owner, 'POST', person, 'follow');
    }
  }
  for (const person of [...owners, friend, ...lookers]) posts.set(person, await cast.publish(person));
  for (const person of lookers) await goPrivate(cast, person, true);
  for (const owner of owners) {
    await like(cast, friend, owner);
    for (const person of [friend, ...lookers]) await like(cast, owner, person);
    const shown = await ask(cast, owner, 'GET', `/api/posts/${posts.get(owner)}`);
    // Not the one that is the picture of a profile, too.
    const { variants } = shown.body.media[0];
    secrets.set(owner, variants.find(({ name }: { name: string }) => name !== 'thumbnail').url);
  }
  await goPrivate(cast, cast.owners.private, true);
}

/** Brings a viewer to a relation, whatever it was, by way of that of a follower. */
export async function become(cast: Cast, publicity: Publicity, viewer: Viewer): Promise<void> {
  const owner = cast.owners[publicity];
  const person = cast.viewers[viewer];
  const isPrivate = publicity === 'private';
  // Either may not know the other, or have nothing to take back.
  await ask(cast, owner, 'DELETE', `/api/users/${person.username}/block`);
  await ask(cast, person, 'DELETE', `/api/users/${owner.username}/block`);
  await act(cast, owner, 'DELETE', person, 'follow');
  await act(cast, owner, 'POST', person, 'follow');
  await goPrivate(cast, owner, true);
  await act(cast, person, 'DELETE', owner, 'follow');
  await act(cast, person, 'POST', owner, 'follow');
  const approve = `/api/users/me/follow-requests/${person.username}/approve`;
  expectStatus(await ask(cast, owner, 'POST', approve), 200);
  if (viewer === 'requested') {
    await act(cast, person, 'DELETE', owner, 'follow');
    await act(cast, person, 'POST', owner, 'follow');
  }
  if (!isPrivate) await goPrivate(cast, owner, false);
  if (viewer === 'stranger') await act(cast, person, 'DELETE', owner, 'follow');
  if (viewer === 'blocked') await act(cast, owner, 'POST', person, 'block');
  if (viewer === 'blocker') await act(cast, person, 'POST', owner, 'block');
}

async function act(cast: Cast, who: Person, method: string, whom: Person, what: string): Promise<void> {
  expectStatus(await ask(cast, who, method, `/api/users/${whom.username}/${what}`), 200);
}

async function like(cast: Cast, who: Person, author: Person): Promise<void> {
  expectStatus(await ask(cast, who, 'POST', `/api/posts/${cast.posts.get(author)}/like`), 200);
}

async function goPrivate(cast: Cast, who: Person, isPrivate: boolean): Promise<void> {
  const profile = { fullName: 'Somebody', bio: '', website: null, gender: null, avatarMediaId: null };
  expectStatus(await ask(cast, who, 'PUT', '/api/users/me', { ...profile, isPrivate }), 200);
}

/** The frames of a stream from its beginning to its head, or the code that it is refused with. */
export async function framesOf({ world }: Cast, looker: Looker): Promise<Frame[] | string> {
  const { stream } = world.services;
  if (!looker) {
    const refused = await fetch(`${stream.url}/api/stream`);
    return ((await refused.json()) as { code: string }).code;
  }
  const socket = connect(stream, { token: looker.token, query: { cursor: '0' } });
  const { head } = await socket.hello();
  await socket.until(({ type, seq }) => type !== 'hello' && seq >= head);
  socket.close();
  return socket.got.filter(({ traceId }) => traceId !== undefined);
}

export interface Frame {
  type: string;
  data: Record<string, string>;
}

/** Whether one of these frames tells of the person. */
export function tellsOf(frames: readonly Frame[], type: string, person: Person): boolean {
  return frames.some((frame) => frame.type === type && Object.values(frame.data).includes(person.id));
}
