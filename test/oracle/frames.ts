import type { Fact } from './fact.ts';
import type { Oracle } from './oracle.ts';

/** Frames of the live stream that everybody must have had, and those that they may have had, as text. */
export interface Frames {
  must: Map<string, Set<string>>;
  may: Map<string, Set<string>>;
}

/** Those that may be told again. */
const timed = ['user.followed', 'follow.requested', 'follow.approved'];

/** A follow is told with its time, because it may be told of again: since another time. */
export function frameText({ type, data, time }: { type: string; data: object; time: string }): string {
  const said = Object.entries(data).sort().flat().join(' ');
  return timed.includes(type) ? `${type} ${said} since ${time}` : `${type} ${said}`;
}

/**
 * Somebody is told once of each liker of a post, of each follow, of what became of an upload; and of a post by whom
 * they followed before it, once it shows. Whether a follow that did not last was still there when the post came to
 * show is a matter of moments: that frame may be there. Whoever reads later is not told of deleted posts.
 */
export function framesOf(facts: readonly Fact[], { state, isGone, maySee }: Oracle): Frames {
  const frames: Frames = { must: new Map(), may: new Map() };
  const authors = new Map(
    facts.flatMap((fact) => (fact.what === 'published' ? [[fact.post, fact.author]] : [])),
  );
  const tell = (
    to: string,
    type: string,
    data: object,
    since = 0,
    sets = [frames.must, frames.may],
  ): void => {
    const actor = actorIn(data);
    if (actor && isGone(to, actor)) return;
    const text = frameText({ type, data, time: new Date(since).toISOString() });
    for (const set of sets) set.set(to, (set.get(to) ?? new Set()).add(text));
  };
  for (const fact of facts) {
    const author = fact.what === 'liked' && authors.get(fact.post);
    if (author && author !== fact.liker)
      tell(author, 'post.liked', { postId: fact.post, likerId: fact.liker });
    // Said again it is no news.
    if (fact.what === 'followed' && fact.since === fact.at)
      tell(fact.followee, 'user.followed', { followerId: fact.follower }, fact.since);
    if (fact.what === 'asked' && fact.since === fact.at)
      tell(fact.followee, 'follow.requested', { followerId: fact.follower }, fact.since);
    if (fact.what === 'granted')
      tell(fact.follower, 'follow.approved', { followeeId: fact.followee }, fact.at);
    if (fact.what === 'ready') tell(fact.owner, 'media.ready', { mediaId: fact.media });
    if (fact.what === 'rejected')
      tell(fact.owner, 'media.rejected', { mediaId: fact.media, code: fact.reason });
  }
  for (const published of state.posts.values()) {
    const { post, author, media, at } = published;
    if (!media.every((id) => state.media.get(id)?.what === 'ready')) continue;
    const data = { postId: post, authorId: author };
    for (const [follower, whom] of state.following)
      if ((whom.get(author) ?? Infinity) <= at && maySee(follower, published))
        tell(follower, 'post.published', data);
    for (const fact of facts)
      if ((fact.what === 'followed' || fact.what === 'granted') && fact.followee === author) {
        const since = fact.what === 'followed' ? fact.since : fact.at;
        if (since <= at && maySee(fact.follower, published))
          tell(fact.follower, 'post.published', data, 0, [frames.may]);
      }
  }
  return frames;
}

/** Whoever reads later is told nothing of people who are gone for them. */
function actorIn(data: object): string | undefined {
  const { likerId, followerId, followeeId, authorId } = data as Record<string, string | undefined>;
  return likerId ?? followerId ?? followeeId ?? authorId;
}
