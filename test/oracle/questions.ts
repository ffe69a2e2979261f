import type { Random } from '../../tools/load/random.ts';
import type { Played } from './history.ts';
import type { Oracle } from './oracle.ts';
import { type Naming, tagged } from './wire.ts';

/** One read and what it must answer: a body, all items of a list read page by page, or a refusal. */
export interface Question {
  /** User id; null for nobody. */
  viewer: string | null;
  path: string;
  right: { body: unknown } | { items: unknown[]; limit: number } | { refused: string };
}

/** Whom and what is asked about, and for whom: everybody and everything once, for a few viewers. */
export interface Sample {
  oracle: Oracle;
  naming: Naming;
  random: Random;
  /** Those who act; the others have registered and no more. */
  cast: string[];
  people: string[];
  /** Usernames of those whose accounts are erased. */
  gone: string[];
  /** Deleted ones too. */
  posts: { id: string; author: string }[];
  media: { id: string; owner: string }[];
}

type QuestionsOf = (sample: Sample) => Question[];

const unknownId = '01900000-0000-7000-8000-00000000000f';
const limits = [1, 3, 7, 20, 100];
/** Beginnings of the names that generate.ts gives, in other cases, with what SQL takes for more than itself. */
const searched = ['~', '~_p', '~_P1', '~x', '~ a', '~ ANN', 'é~', 'É~ Ö', 'ж~ яна', '~%', '%~', '~\\'];

export function sampleOf(oracle: Oracle, played: Played, cast: string[], random: Random): Sample {
  const made = (what: string) => played.calls.filter(({ act, status }) => act.do === what && status === 201);
  const owners = (call: Played['calls'][number]): string => played.ids.get(call.actor)!;
  const posts = new Map(made('publish').map((call) => [call.body.id as string, owners(call)]));
  const media = new Map(made('request').map((call) => [call.body.mediaId as string, owners(call)]));
  const everybody = [...played.people.values()];
  return {
    oracle,
    naming: played,
    random,
    cast,
    people: everybody.filter(({ id }) => !played.gone.has(id)).map(({ id }) => id),
    gone: everybody.filter(({ id }) => played.gone.has(id)).map((person) => person.username),
    posts: [...posts].map(([id, author]) => ({ id, author })),
    media: [...media].map(([id, owner]) => ({ id, owner })).filter(({ owner }) => !played.gone.has(owner)),
  };
}

/** Of every read that the facts decide, by the route's name. */
export const questions: Record<string, QuestionsOf> = {
  readMe: ({ oracle, cast }) =>
    cast.map((viewer) => ({ viewer, path: '/api/users/me', right: { body: oracle.me(viewer) } })),

  readUser: (sample) =>
    sample.people
      .flatMap((id) =>
        viewers(sample, id).map(
          (viewer): Question => ({
            viewer,
            path: `/api/users/${username(sample, id)}`,
            right: bodyOf(sample.oracle.user(viewer, id)),
          }),
        ),
      )
      .concat(
        ['nobody_at_all', ...sample.gone].map((name) => ({
          viewer: null,
          path: `/api/users/${name}`,
          right: { refused: 'user_not_found' },
        })),
      ),

  searchUsers: (sample) =>
    searched.flatMap((text) => {
      const q = tagged(sample.naming, text);
      const path = `/api/users?q=${encodeURIComponent(q)}`;
      return viewers(sample).map((viewer) => list(sample, viewer, path, sample.oracle.search(viewer, q)));
    }),

  listFollowRequests: (sample) =>
    sample.cast.map((viewer) =>
      list(sample, viewer, '/api/users/me/follow-requests', sample.oracle.requests(viewer)),
    ),
  listBlocks: (sample) =>
    sample.cast.map((viewer) => list(sample, viewer, '/api/users/me/blocks', sample.oracle.blocks(viewer))),
  listFollowers: (sample) => ofPeople(sample, 'followers', sample.oracle.followers),
  listFollowing: (sample) => ofPeople(sample, 'following', sample.oracle.following),
  listUserPosts: (sample) => ofPeople(sample, 'posts', sample.oracle.postsOf),

  listPostsByUserId: (sample) =>
    sample.people.flatMap((id) =>
      viewers(sample, id).map((viewer) =>
        ofPerson(sample, viewer, `/api/posts/user/${id}`, sample.oracle.postsOf(viewer, id)),
      ),
    ),

  readPost: (sample) =>
    [...sample.posts, { id: unknownId, author: sample.cast[0]! }].flatMap(({ id, author }) =>
      viewers(sample, author).map((viewer): Question => {
        const body = sample.oracle.post(viewer, id);
        return { viewer, path: `/api/posts/${id}`, right: body ? { body } : { refused: 'post_not_found' } };
      }),
    ),

  listLikes: (sample) =>
    sample.posts.flatMap(({ id, author }) =>
      viewers(sample, author).map((viewer): Question => {
        const path = `/api/posts/${id}/likes`;
        const items = sample.oracle.likers(viewer, id);
        return items
          ? list(sample, viewer, path, items)
          : { viewer, path, right: { refused: 'post_not_found' } };
      }),
    ),

  readFeed: (sample) =>
    sample.cast.flatMap((viewer) => {
      const items = sample.oracle.feed(viewer);
      return [7, 100].map((limit): Question => ({ viewer, path: '/api/feed', right: { items, limit } }));
    }),

  readMedia: (sample) =>
    [...sample.media, { id: unknownId, owner: sample.cast[0]! }].flatMap(({ id, owner }) =>
      [owner, oneOf(sample, sample.cast)].map((viewer): Question => {
        const body = sample.oracle.media(viewer, id);
        return { viewer, path: `/api/media/${id}`, right: body ? { body } : { refused: 'media_not_found' } };
      }),
    ),
};

type ListOf = (viewer: string | null, id: string) => unknown[] | null;

/** null: that person is nobody for the viewer. */
function bodyOf(body: unknown): Question['right'] {
  return body === null ? noSuchUser : { body };
}

const noSuchUser = { refused: 'user_not_found' };

function ofPerson(sample: Sample, viewer: string | null, path: string, items: unknown[] | null): Question {
  return items === null ? { viewer, path, right: noSuchUser } : list(sample, viewer, path, items);
}

function ofPeople(sample: Sample, what: string, itemsOf: ListOf): Question[] {
  return sample.people.flatMap((id) =>
    viewers(sample, id).map((viewer) =>
      ofPerson(sample, viewer, `/api/users/${username(sample, id)}/${what}`, itemsOf(viewer, id)),
    ),
  );
}

function list(sample: Sample, viewer: string | null, path: string, items: unknown[]): Question {
  return {
    viewer,
    path,
    right: {
      items,
      limit: oneOf(
        sample,
        limits.filter((limit) => items.length / limit < 50),
      ),
    },
  };
}

/** Nobody, somebody, and the person whom it belongs to. */
function viewers(sample: Sample, owner?: string): (string | null)[] {
  const some = [null, oneOf(sample, sample.cast)];
  return owner && sample.cast.includes(owner) ? [...new Set([...some, owner])] : some;
}

function username({ oracle }: Sample, id: string): string {
  return oracle.state.people.get(id)!.username;
}

function oneOf<T>({ random }: Sample, items: readonly T[]): T {
  return items[random.below(items.length)]!;
}
