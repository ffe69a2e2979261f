import type { Fact, Profile, Published, Registered } from './fact.ts';

type FactOf<W extends Fact['what']> = Extract<Fact, { what: W }>;

/** What stands after all facts: of those about one thing the newest, whatever order they came in. */
export interface State {
  /** By id. */
  people: Map<string, Registered & { at: number }>;
  profiles: Map<string, Profile>;
  /** Whom somebody follows, and since when; both by id. */
  following: Map<string, Map<string, number>>;
  /** The newest word on each of these follows, by `follower followee`. */
  follows: Map<string, FactOf<'followed' | 'granted'>>;
  /** Who has asked to follow somebody, and since when, by the one who is asked. */
  requests: Map<string, Map<string, number>>;
  /** Whom somebody has blocked, and since when. */
  blocks: Map<string, Map<string, number>>;
  /** Posts that are not deleted. */
  posts: Map<string, LivePost>;
  /** Who likes a post, and when they last said so. */
  likes: Map<string, Map<string, number>>;
  media: Map<string, FactOf<'requested' | 'uploaded' | 'ready' | 'rejected'>>;
}

/** `at`: when it was published. */
export type LivePost = Published & { at: number };

export function stateOf(facts: readonly Fact[]): State {
  const newest = newestBy(facts);
  const state: State = {
    people: new Map(),
    profiles: new Map(),
    following: new Map(),
    follows: new Map(),
    requests: new Map(),
    blocks: new Map(),
    posts: new Map(),
    likes: new Map(),
    media: new Map(),
  };
  for (const fact of facts) if (fact.what === 'registered') state.people.set(fact.person, fact);
  for (const [thing, fact] of newest) stand(state, thing, fact);
  return state;
}

function stand(state: State, thing: string, fact: Fact): void {
  switch (fact.what) {
    case 'registered':
    case 'edited':
      state.profiles.set(fact.person, fact.profile);
      return;
    case 'followed':
    case 'granted':
      if (!thing.startsWith('follow ')) return;
      state.follows.set(`${fact.follower} ${fact.followee}`, fact);
      inside(state.following, fact.follower).set(fact.followee, 'since' in fact ? fact.since : fact.at);
      return;
    case 'asked':
      inside(state.requests, fact.followee).set(fact.follower, fact.since);
      return;
    case 'blocked':
      if (thing.startsWith('block ')) inside(state.blocks, fact.blocker).set(fact.blocked, fact.since);
      return;
    case 'published':
      state.posts.set(fact.post, fact);
      return;
    case 'liked':
      inside(state.likes, fact.post).set(fact.liker, fact.at);
      return;
    case 'unfollowed':
    case 'declined':
    case 'cancelled':
    case 'removed':
    case 'unblocked':
    case 'unliked':
    case 'deleted':
      return;
    default:
      state.media.set(fact.media, fact);
  }
}

/** The newest fact of each thing that facts can contradict each other about. */
function newestBy(facts: readonly Fact[]): Map<string, Fact> {
  const newest = new Map<string, Fact>();
  for (const fact of facts) {
    for (const thing of thingsOf(fact)) {
      const known = newest.get(thing);
      if (!known || isLater(fact, known)) newest.set(thing, fact);
    }
  }
  return newest;
}

/** A follow and a request are things apart: asking takes nothing from a follow, declining neither. A block ends both. */
function thingsOf(fact: Fact): string[] {
  if ('person' in fact) return [`profile ${fact.person}`];
  if ('follower' in fact) {
    const [follow, request] = edgeOf(fact.follower, fact.followee);
    if (fact.what === 'asked' || fact.what === 'declined') return [request];
    return [follow, request];
  }
  if ('blocker' in fact) {
    const block = `block ${fact.blocker} ${fact.blocked}`;
    if (fact.what === 'unblocked') return [block];
    return [block, ...edgeOf(fact.blocker, fact.blocked), ...edgeOf(fact.blocked, fact.blocker)];
  }
  if ('liker' in fact) return [`like ${fact.post} ${fact.liker}`];
  return ['post' in fact ? `post ${fact.post}` : `media ${fact.media}`];
}

function edgeOf(follower: string, followee: string): [string, string] {
  return [`follow ${follower} ${followee}`, `request ${follower} ${followee}`];
}

function isLater(a: Fact, b: Fact): boolean {
  return a.at === b.at ? a.id > b.id : a.at > b.at;
}

function inside(map: Map<string, Map<string, number>>, key: string): Map<string, number> {
  const found = map.get(key) ?? new Map<string, number>();
  map.set(key, found);
  return found;
}

/** The order of every list: later first, then the greater id. */
export function newestFirst<T>(
  items: Iterable<T>,
  timeOf: (item: T) => number,
  idOf: (item: T) => string,
): T[] {
  return [...items].sort((a, b) => timeOf(b) - timeOf(a) || (idOf(a) < idOf(b) ? 1 : -1));
}
