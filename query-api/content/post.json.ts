import { type Posts, presentForAll, presentForViewer } from './post.present.ts';
import type { PostRow } from './post.reads.ts';

/** What everybody is shown of a post, as the beginning of its JSON, and all that it was made of. */
interface Written {
  json: string;
  from: readonly unknown[];
}

const written = new WeakMap<PostRow, Written>();

/**
 * presentPost as JSON. What is the same for everybody is written once for as long as its rows are remembered
 * (rows.ts): most of a feed is in the feeds of others, too.
 */
export function postJson(viewerId: string | null, id: string, hydrated: Posts, publicUrl: string): string {
  const own = JSON.stringify(presentForViewer(viewerId, id, hydrated));
  return `${jsonForAll(id, hydrated, publicUrl).slice(0, -1)},${own.slice(1)}`;
}

function jsonForAll(id: string, hydrated: Posts, publicUrl: string): string {
  const post = hydrated.posts.get(id)!;
  const from = madeOf(post, hydrated, publicUrl);
  const known = written.get(post);
  if (known && from.every((part, n) => part === known.from[n])) return known.json;
  const json = JSON.stringify(presentForAll(id, hydrated, publicUrl));
  written.set(post, { json, from });
  return json;
}

/** The very rows: another reading of the same is another row. */
function madeOf(post: PostRow, { users, media }: Posts, publicUrl: string): unknown[] {
  const author = users.get(post.authorId)!;
  const avatar = author.avatarMediaId === null ? null : media.get(author.avatarMediaId);
  return [publicUrl, author, avatar, ...post.mediaIds.map((mediaId) => media.get(mediaId))];
}
