import { type Posts, presentForAll, presentForViewer } from './post.present.ts';
import type { PostRow } from './post.reads.ts';

/** The JSON of a post in two parts, one behind the other. */
export interface PostJson {
  /** What everybody is shown, open at its end; UTF-8. */
  shared: Buffer;
  /** What only this viewer is shown, and the end; ASCII. */
  own: string;
}

/** `shared` of a post, and all that it was made of. */
interface Written {
  json: Buffer;
  from: readonly unknown[];
}

const written = new WeakMap<PostRow, Written>();

/**
 * presentPost as JSON. What is the same for everybody is written once for as long as its rows are remembered
 * (rows.ts): most of a feed is in the feeds of others, too.
 */
export function postJson(viewerId: string | null, id: string, hydrated: Posts, publicUrl: string): PostJson {
  const own = JSON.stringify(presentForViewer(viewerId, id, hydrated));
  return { shared: jsonForAll(id, hydrated, publicUrl), own: own.slice(1) };
}

/** A page of these as its bytes: most are copied, not written again. */
export function pageJson(items: readonly PostJson[], nextCursor: string | null): Buffer {
  const end = `],"nextCursor":${JSON.stringify(nextCursor)}}`;
  const length = items.reduce((sum, { shared, own }) => sum + shared.length + own.length + 1, 0);
  const page = Buffer.allocUnsafe(begin.length + length + end.length);
  let at = page.write(begin, 0, 'latin1');
  items.forEach(({ shared, own }, n) => {
    if (n > 0) at += page.write(',', at, 'latin1');
    at += shared.copy(page, at);
    at += page.write(own, at, 'latin1');
  });
  at += page.write(end, at, 'latin1');
  return page.subarray(0, at);
}

const begin = '{"items":[';

function jsonForAll(id: string, hydrated: Posts, publicUrl: string): Buffer {
  const post = hydrated.posts.get(id)!;
  const from = madeOf(post, hydrated, publicUrl);
  const known = written.get(post);
  if (known && from.every((part, n) => part === known.from[n])) return known.json;
  const json = Buffer.from(`${JSON.stringify(presentForAll(id, hydrated, publicUrl)).slice(0, -1)},`);
  written.set(post, { json, from });
  return json;
}

/** The very rows: another reading of the same is another row. */
function madeOf(post: PostRow, { users, media }: Posts, publicUrl: string): unknown[] {
  const author = users.get(post.authorId)!;
  const avatar = author.avatarMediaId === null ? null : media.get(author.avatarMediaId);
  return [publicUrl, author, avatar, ...post.mediaIds.map((mediaId) => media.get(mediaId))];
}
