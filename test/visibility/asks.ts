import type { Answer, Person } from '../harness/client.ts';
import { ask, type Cast, type Looker, pagesUntil } from './stage.ts';

/** How a cell is found out: the request of somebody (null: nobody) about an owner, and a word for what was answered. */
export interface Ask {
  /** The word for what comes of it; see table.ts. */
  run(cast: Cast, looker: Looker, owner: Person): Promise<string>;
  /** What it does when it is accepted changes how the two stand to each other. */
  changes?: true;
}

const wordOf = ({ status, body }: Answer): string => body?.code ?? String(status);

/** A read of one thing. */
const get = (path: (owner: Person, cast: Cast) => string): Ask => ({
  run: async (cast, looker, owner) => wordOf(await ask(cast, looker, 'GET', path(owner, cast))),
});

/** A list, and whose or which entry is looked for on it. */
const list = (
  path: (owner: Person, cast: Cast) => string,
  wanted: (owner: Person, cast: Cast) => string,
): Ask => ({
  run: async (cast, looker, owner) => pagesUntil(cast, looker, path(owner, cast), wanted(owner, cast)),
});

const write = (
  method: string,
  path: (owner: Person, cast: Cast, looker: Looker) => string | Promise<string>,
  body?: (owner: Person, cast: Cast) => unknown,
): Ask => ({
  run: async (cast, looker, owner) => {
    const address = await path(owner, cast, looker);
    return wordOf(await ask(cast, looker, method, address, body?.(owner, cast)));
  },
});

const between = (method: string, path: (owner: Person) => string): Ask => ({
  ...write(method, path),
  changes: true,
});

const self = ({ id }: Person): string => id;
const postOf = (owner: Person, cast: Cast): string => cast.posts.get(owner)!;
const photoOf = (owner: Person, cast: Cast): string => cast.photos.get(owner)!;
const profile = { fullName: 'Somebody', bio: '', website: null, gender: null };
const user = ({ username }: Person): string => `/api/users/${username}`;
const friend = (cast: Cast): string => user(cast.friend);

export const asks: Record<string, Ask> = {
  'readUser: the profile': get(user),
  'searchUsers: the person among those who are found': list(
    ({ username }) => `/api/users?q=${username}`,
    self,
  ),
  'listFollowers: who follows them': list(
    (owner) => `${user(owner)}/followers`,
    (_, cast) => cast.friend.id,
  ),
  'listFollowers: the person among the followers of another': list(
    (_, cast) => `${friend(cast)}/followers`,
    self,
  ),
  'listFollowing: whom they follow': list(
    (owner) => `${user(owner)}/following`,
    (_, cast) => cast.friend.id,
  ),
  'listFollowing: the person among those whom another follows': list(
    (_, cast) => `${friend(cast)}/following`,
    self,
  ),
  'listFollowRequests: their request to whoever looks': list(() => '/api/users/me/follow-requests', self),
  'listBlocks: the person among those whom one has blocked': list(() => '/api/users/me/blocks', self),
  'readPost: a post': get((owner, cast) => `/api/posts/${postOf(owner, cast)}`),
  'listUserPosts: the post among theirs': list((owner) => `${user(owner)}/posts`, postOf),
  'listPostsByUserId: the post among theirs': list(({ id }) => `/api/posts/user/${id}`, postOf),
  'listLikes: who likes their post': list(
    (owner, cast) => `/api/posts/${postOf(owner, cast)}/likes`,
    (_, cast) => cast.friend.id,
  ),
  'listLikes: the person among those who like another’s': list(
    (_, cast) => `/api/posts/${cast.posts.get(cast.friend)}/likes`,
    self,
  ),
  'readFeed: a post in the home feed': list(() => '/api/feed', postOf),
  'readMedia: the state of their upload': get((owner, cast) => `/api/media/${photoOf(owner, cast)}`),

  'editProfile: their picture as one’s own': write(
    'PUT',
    () => '/api/users/me',
    (owner, cast) => ({ ...profile, avatarMediaId: photoOf(owner, cast) }),
  ),
  'publishPost: their picture in one’s own post': write(
    'POST',
    () => '/api/posts',
    (owner, cast) => ({ media: [photoOf(owner, cast)] }),
  ),
  'completeUpload: their upload': write(
    'POST',
    (owner, cast) => `/api/media/uploads/${photoOf(owner, cast)}/complete`,
  ),
  'followUser: to follow': {
    changes: true,
    async run(cast, looker, owner) {
      const answer = await ask(cast, looker, 'POST', `${user(owner)}/follow`);
      if (answer.status !== 200) return wordOf(answer);
      const { following, requested } = answer.body;
      return `200${following ? ' following' : ''}${requested ? ' requested' : ''}`;
    },
  },
  'unfollowUser: to follow no longer': between('DELETE', (owner) => `${user(owner)}/follow`),
  'removeFollower: to take their follow away': between(
    'DELETE',
    ({ username }) => `/api/users/me/followers/${username}`,
  ),
  'approveFollowRequest: to let them in': between(
    'POST',
    ({ username }) => `/api/users/me/follow-requests/${username}/approve`,
  ),
  'declineFollowRequest: not to let them in': between(
    'POST',
    ({ username }) => `/api/users/me/follow-requests/${username}/decline`,
  ),
  'blockUser: to block': between('POST', (owner) => `${user(owner)}/block`),
  'unblockUser: to block no longer': between('DELETE', (owner) => `${user(owner)}/block`),
  'likePost: to like a post': write('POST', (owner, cast) => `/api/posts/${postOf(owner, cast)}/like`),
  'unlikePost: to take a like back': write(
    'DELETE',
    (owner, cast) => `/api/posts/${postOf(owner, cast)}/like`,
  ),
  'deletePost: to delete a post': write('DELETE', async (owner, cast, looker) => {
    // The one that everybody looks for stays.
    const post = looker === owner ? await cast.publish(owner) : postOf(owner, cast);
    return `/api/posts/${post}`;
  }),
};
