import { differencesOf } from './difference.ts';
import type { Happened } from './happened.ts';
import type { Call } from './history.ts';
import type { Own } from './own.ts';
import type { Act, Look, Name } from './plan.ts';

export function isLook(act: Act): act is Look {
  return act.do.startsWith('look') || act.do === 'login';
}

/**
 * Reads in the middle of everything, with the position of one's own writes: what is one's own must be exact, whatever
 * others do.
 */
export function judgeLook(happened: Happened, own: Own, call: Call): string[] {
  const act = call.act as Look;
  switch (act.do) {
    case 'login':
      return differencesOf([200, own.account], [call.status, call.body.user]);
    case 'look-me':
      return judgeMe(happened, own, call);
    case 'look-feed':
      return judgeFeed(happened, own, call);
    case 'look-post':
      return judgePost(happened, own, call, act.post);
    case 'look-user':
      return judgeUser(happened, own, call, act.whom);
  }
}

function judgeMe(happened: Happened, own: Own, call: Call): string[] {
  const { status, body } = call;
  if (status !== 200) return [`answered ${status}`];
  const told = Object.fromEntries(Object.keys(own.account).map((field) => [field, body[field]]));
  const wrong = differencesOf(own.account, told);
  const follows = [...own.follows.values()];
  const sure = [...own.follows.keys()].every((whom) => !happened.isUnsure(call, whom));
  if (sure && !follows.includes(null))
    wrong.push(...differencesOf(follows.filter((on) => on).length, body.followingCount, 'followingCount'));
  const live = [...own.posts.values()].filter((post) => post.live);
  const ready = live.filter((post) => post.media.every((media) => happened.maker(media)?.early));
  if (body.postsCount < ready.length || body.postsCount > live.length)
    wrong.push(`postsCount should be ${ready.length} to ${live.length}, is ${body.postsCount}`);
  return wrong;
}

function judgeFeed(happened: Happened, own: Own, call: Call): string[] {
  const { status, body } = call;
  if (status !== 200) return [`answered ${status}`];
  const items: { id: string; author: { id: string }; publishedAt: string }[] = body.items;
  const last = body.nextCursor === null ? '' : (items.at(-1)?.publishedAt ?? '');
  const mine = [...own.posts.values()]
    .filter((post) => post.live && post.publishedAt > last)
    .sort((a, b) =>
      a.publishedAt === b.publishedAt ? (a.id < b.id ? 1 : -1) : a.publishedAt < b.publishedAt ? 1 : -1,
    );
  const shown = items.filter((item) => item.author.id === own.account.id && item.publishedAt > last);
  const wrong = differencesOf(
    mine.map((post) => post.id),
    shown.map((item) => item.id),
    'own posts',
  );
  for (const item of items) {
    const followed =
      item.author.id === own.account.id || follows(happened, own, call, item.author.id) !== false;
    if (!followed) wrong.push(`has a post of ${item.author.id}, who is not followed`);
  }
  return wrong;
}

function follows(happened: Happened, own: Own, call: Call, userId: string): boolean | null {
  const name = happened.nameOf(userId);
  if (name !== undefined && happened.isUnsure(call, name)) return null;
  return name === undefined ? false : (own.follows.get(name) ?? (own.follows.has(name) ? null : false));
}

function judgePost(happened: Happened, own: Own, call: Call, post: Name): string[] {
  const { status, body } = call;
  const mine = own.posts.get(post);
  const shown = mine ? mine.live : happened.outlook(call, post).shown;
  if (shown !== null && status !== (shown ? 200 : 404)) return [`answered ${status}, shown is ${shown}`];
  if (status === 404) return [];
  if (status !== 200) return [`answered ${status}`];
  const liked = own.likes.get(post);
  return liked === null ? [] : differencesOf(liked ?? false, body.likedByViewer, 'likedByViewer');
}

function judgeUser(happened: Happened, own: Own, call: Call, whom: Name): string[] {
  const { status, body } = call;
  if (status === 404 && happened.knowsPerson(call, whom) === null) return [];
  if (status !== 200) return [`answered ${status}`];
  const followed = own.follows.get(whom);
  return followed === null || happened.isUnsure(call, whom)
    ? []
    : differencesOf(followed ?? false, body.followedByViewer, 'followedByViewer');
}
