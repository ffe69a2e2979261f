import type { z } from 'zod';
import type { Author, Me, Media, Post, PostMedia, User, UserSummary } from '../../schemas/shapes.ts';
import type { Fact, Published } from './fact.ts';
import { type LivePost, newestFirst, type State, stateOf } from './state.ts';

type Shape<T extends z.ZodType> = z.output<T>;

/**
 * What each read must answer, by ids; null where there is nothing to see. `viewer` is null for nobody. Written from
 * what the product promises, not from how it does it: everything is looked for in everything.
 */
export interface Oracle {
  state: State;
  me(viewer: string): Shape<typeof Me>;
  user(viewer: string | null, id: string): Shape<typeof User> | null;
  search(viewer: string | null, text: string): Shape<typeof UserSummary>[];
  followers(viewer: string | null, id: string): Shape<typeof UserSummary>[] | null;
  following(viewer: string | null, id: string): Shape<typeof UserSummary>[] | null;
  requests(viewer: string): Shape<typeof UserSummary>[];
  blocks(viewer: string): Shape<typeof UserSummary>[];
  post(viewer: string | null, id: string): Shape<typeof Post> | null;
  postsOf(viewer: string | null, author: string): Shape<typeof Post>[] | null;
  likers(viewer: string | null, post: string): Shape<typeof UserSummary>[] | null;
  feed(viewer: string): Shape<typeof Post>[];
  media(viewer: string, id: string): Shape<typeof Media> | null;
  /** Whether one of the two has blocked the other. */
  isGone(viewer: string, id: string): boolean;
  maySee(viewer: string, post: Published): boolean;
}

export type MakeOracle = (facts: readonly Fact[], publicUrl: string) => Oracle;

/** Posts from before a follow that the follower gets, and the longest feed. */
const backfill = 20;
const feedLength = 1_000;

export const createOracle: MakeOracle = (facts, publicUrl) => {
  const state = stateOf(facts);
  const world: Sight = { state, publicUrl };
  const summaries = (viewer: string | null, times: Map<string, number>): Shape<typeof UserSummary>[] =>
    newestFirst(times.keys(), (id) => times.get(id)!, String)
      .filter((id) => !isGone(state, viewer, id))
      .map((id) => summary(world, viewer, id));
  /** What somebody keeps for their followers when they are private: nothing of it to others, and no answer to who is gone. */
  const kept = <T>(viewer: string | null, id: string, items: () => T[]): T[] | null => {
    if (isGone(state, viewer, id)) return null;
    return isOpen(state, viewer, id) ? items() : [];
  };
  const shown = (viewer: string | null, posts: Iterable<LivePost>): Shape<typeof Post>[] =>
    newestFirst(
      posts,
      ({ at }) => at,
      ({ post }) => post,
    )
      .filter((post) => maySee(state, viewer, post))
      .map((post) => present(world, viewer, post));
  const visible = (viewer: string | null, id: string) => {
    const post = state.posts.get(id);
    return post && maySee(state, viewer, post) ? post : null;
  };
  return {
    state,
    me(viewer) {
      const { email, dateOfBirth } = state.people.get(viewer)!;
      const { gender, avatarMediaId } = state.profiles.get(viewer)!;
      return { ...user(world, viewer, viewer), email, dateOfBirth, gender, avatarMediaId };
    },
    user: (viewer, id) => (isGone(state, viewer, id) ? null : user(world, viewer, id)),
    search(viewer, text) {
      const found = [...state.people.values()].filter(({ person, username }) =>
        [username, state.profiles.get(person)!.fullName].some((name) => beginsWith(name, text)),
      );
      return summaries(viewer, new Map(found.map(({ person, at }) => [person, at])));
    },
    followers: (viewer, id) => kept(viewer, id, () => summaries(viewer, followersOf(state, id))),
    following: (viewer, id) =>
      kept(viewer, id, () => summaries(viewer, state.following.get(id) ?? new Map())),
    requests(viewer) {
      const asked = [...(state.requests.get(viewer) ?? [])].filter(([who]) => !isLetIn(state, who, viewer));
      return summaries(viewer, new Map(asked));
    },
    blocks(viewer) {
      const blocked = [...(state.blocks.get(viewer) ?? [])].filter(
        ([who]) => !hasBlocked(state, who, viewer),
      );
      return newestFirst(
        blocked,
        ([, since]) => since,
        ([who]) => who,
      ).map(([who]) => summary(world, viewer, who));
    },
    isGone: (viewer, id) => isGone(state, viewer, id),
    maySee: (viewer, post) => maySee(state, viewer, post),
    post: (viewer, id) => visible(viewer, id) && present(world, viewer, visible(viewer, id)!),
    postsOf: (viewer, author) => kept(viewer, author, () => shown(viewer, postsOf(state, author))),
    likers: (viewer, post) => visible(viewer, post) && summaries(viewer, state.likes.get(post) ?? new Map()),
    feed: (viewer) => shown(viewer, feedOf(state, viewer)),
    media(viewer, id) {
      const media = state.media.get(id);
      if (!media || media.owner !== viewer) return null;
      const reason = media.what === 'rejected' ? media.reason : null;
      return { ...pictures(world, id), state: media.what, reason };
    },
  };
};

interface Sight {
  state: State;
  publicUrl: string;
}

function beginsWith(name: string, text: string): boolean {
  return name.toLowerCase().startsWith(text.toLowerCase());
}

function followersOf(state: State, id: string): Map<string, number> {
  const found = [...state.following].filter(([, whom]) => whom.has(id));
  return new Map(found.map(([follower, whom]) => [follower, whom.get(id)!]));
}

function postsOf(state: State, author: string): LivePost[] {
  return [...state.posts.values()].filter((post) => post.author === author);
}

/** One's own posts; of each account followed those since the follow and the newest before it; of these the newest. */
function feedOf(state: State, viewer: string): LivePost[] {
  const entries = postsOf(state, viewer);
  for (const [author, since] of state.following.get(viewer) ?? []) {
    const posts = newestFirst(
      postsOf(state, author),
      ({ at }) => at,
      ({ post }) => post,
    );
    const after = posts.filter(({ at }) => at >= since);
    entries.push(...after, ...posts.filter(({ at }) => at < since).slice(0, backfill));
  }
  return newestFirst(
    entries,
    ({ at }) => at,
    ({ post }) => post,
  ).slice(0, feedLength);
}

function isReady(state: State, post: Published): boolean {
  return post.media.every((id) => state.media.get(id)?.what === 'ready');
}

function maySee(state: State, viewer: string | null, post: Published): boolean {
  if (viewer === post.author) return true;
  return isReady(state, post) && !isGone(state, viewer, post.author) && isOpen(state, viewer, post.author);
}

function hasBlocked(state: State, blocker: string, blocked: string): boolean {
  return state.blocks.get(blocker)?.has(blocked) ?? false;
}

function isGone(state: State, viewer: string | null, id: string): boolean {
  return viewer !== null && (hasBlocked(state, viewer, id) || hasBlocked(state, id, viewer));
}

function isOpen(state: State, viewer: string | null, id: string): boolean {
  const { privateSince } = state.profiles.get(id)!;
  return privateSince === null || viewer === id || (viewer !== null && isLetIn(state, viewer, id));
}

/** Follows, and was let in, or was there before the account went private. */
function isLetIn(state: State, viewer: string, id: string): boolean {
  const follow = state.follows.get(`${viewer} ${id}`);
  if (!follow) return false;
  const { privateSince } = state.profiles.get(id)!;
  return privateSince === null || follow.what === 'granted' || follow.at < privateSince;
}

function author({ state, publicUrl }: Sight, id: string): Shape<typeof Author> {
  const { fullName, avatarMediaId } = state.profiles.get(id)!;
  const media = state.media.get(avatarMediaId ?? '');
  const picture =
    media?.what === 'ready' &&
    media.variants.find(({ name, format }) => name === 'thumbnail' && format === 'jpeg');
  const avatarUrl = picture ? `${publicUrl}/${picture.objectKey}` : null;
  return { id, username: state.people.get(id)!.username, fullName, avatarUrl };
}

function summary(sight: Sight, viewer: string | null, id: string): Shape<typeof UserSummary> {
  const { state } = sight;
  const others = viewer !== null && viewer !== id && !isGone(state, viewer, id);
  const followed = others && isLetIn(state, viewer, id);
  const asked = others && (state.follows.has(`${viewer} ${id}`) || !!state.requests.get(id)?.has(viewer));
  return {
    ...author(sight, id),
    isPrivate: state.profiles.get(id)!.privateSince !== null,
    followedByViewer: followed,
    requestedByViewer: asked && !followed,
  };
}

function user(sight: Sight, viewer: string | null, id: string): Shape<typeof User> {
  const { state } = sight;
  const { bio, website } = state.profiles.get(id)!;
  return {
    ...summary(sight, viewer, id),
    bio,
    website,
    postsCount: postsOf(state, id).filter((post) => isReady(state, post)).length,
    followersCount: followersOf(state, id).size,
    followingCount: state.following.get(id)?.size ?? 0,
  };
}

function pictures({ state, publicUrl }: Sight, id: string): Shape<typeof PostMedia> {
  const media = state.media.get(id);
  if (media?.what !== 'ready')
    return { id, width: null, height: null, placeholder: null, dominantColor: null, variants: [] };
  const { width, height, placeholder, dominantColor } = media;
  const variants = media.variants.map(({ name, format, width, height, objectKey }) => ({
    name,
    format,
    width,
    height,
    url: `${publicUrl}/${objectKey}`,
  }));
  return { id, width, height, placeholder, dominantColor, variants };
}

function present(sight: Sight, viewer: string | null, post: LivePost): Shape<typeof Post> {
  const { state } = sight;
  const likes = state.likes.get(post.post);
  const rejected = post.media.some((id) => state.media.get(id)?.what === 'rejected');
  const { caption, location, isReel, hideCounts, commentsOff } = post;
  return {
    id: post.post,
    author: author(sight, post.author),
    media: post.media.map((id) => pictures(sight, id)),
    caption,
    location,
    isReel,
    hideCounts,
    commentsOff,
    publishedAt: new Date(post.at).toISOString(),
    state: rejected ? 'failed' : isReady(state, post) ? 'ready' : 'processing',
    likeCount: hideCounts && viewer !== post.author ? null : (likes?.size ?? 0),
    likedByViewer: likes?.has(viewer ?? '') ?? false,
  };
}
