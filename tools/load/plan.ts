import type { Graph } from './edges.ts';
import { createRandom, createZipf } from './random.ts';

/** A photograph to upload: by whom (index of a person), and which file of the folder. */
export interface PlannedUpload {
  author: number;
  file: number;
}

/** A post of an author who has uploads, with some of those (indices of uploads). */
export interface PlannedPost {
  author: number;
  media: number[];
}

/** Like number n is of post `posts[n]` by person `likers[n]`. */
export interface PlannedLikes {
  posts: Uint32Array;
  likers: Uint32Array;
}

/** Photographs an author has, on average. */
const uploadsPerAuthor = 2;
const mostMediaOfAPost = 10;
/** Popularity falls off as it does in life; 1 would give the first post a tenth of all likes. */
const exponent = 0.8;

/**
 * So many follows between so many people: everybody follows about as many, a few are followed by thousands. Fewer than
 * asked where there are not so many pairs.
 */
export function planGraph(people: number, follows: number, seed: string): Graph {
  const random = createRandom(`graph ${seed}`);
  const draw = createZipf(Math.max(people, 1), exponent);
  const pairs = new Set<number>();
  const wanted = Math.min(follows, people * (people - 1));
  while (pairs.size < wanted) {
    const [follower, followee] = [random.below(people), draw(random)];
    if (follower !== followee) pairs.add(follower * people + followee);
  }
  return {
    nodes: Array.from({ length: people }, (_, index) => String(index)),
    followers: Uint32Array.from(pairs, (pair) => Math.floor(pair / people)),
    followees: Uint32Array.from(pairs, (pair) => pair % people),
    ...{ lines: pairs.size, selfEdges: 0, repeats: 0 },
  };
}

/** Spreads the uploads over chosen people and the files over the uploads. */
export function planUploads(people: number, files: number, uploads: number, seed: string): PlannedUpload[] {
  if (files === 0 || people === 0) return [];
  const random = createRandom(`uploads ${seed}`);
  const authors = chooseDistinct(
    people,
    Math.min(people, Math.max(1, Math.ceil(uploads / uploadsPerAuthor))),
    random,
  );
  return Array.from({ length: uploads }, (_, index) => ({
    author: authors[index % authors.length]!,
    file: index % files,
  }));
}

function chooseDistinct(from: number, count: number, random: { below(limit: number): number }): number[] {
  const chosen = new Set<number>();
  while (chosen.size < count) chosen.add(random.below(from));
  return [...chosen];
}

/** Posts of the authors of `uploads` (those that became media), the active ones posting more. */
export function planPosts(
  uploads: readonly { index: number; author: number }[],
  posts: number,
  seed: string,
): PlannedPost[] {
  const byAuthor = [...Map.groupBy(uploads, (upload) => upload.author)];
  if (byAuthor.length === 0) return [];
  const random = createRandom(`posts ${seed}`);
  const draw = createZipf(byAuthor.length, exponent);
  return Array.from({ length: posts }, () => {
    const [author, own] = byAuthor[draw(random)]!;
    const count = 1 + random.below(Math.min(own.length, mostMediaOfAPost));
    const first = random.below(own.length);
    const media = Array.from({ length: count }, (_, n) => own[(first + n) % own.length]!.index);
    return { author, media };
  });
}

/** Distinct pairs of a post and a person; fewer than asked when there are no more pairs. */
export function planLikes(posts: number, people: number, likes: number, seed: string): PlannedLikes {
  const wanted = Math.min(likes, posts * people);
  const random = createRandom(`likes ${seed}`);
  const draw = createZipf(Math.max(posts, 1), exponent);
  const pairs = new Set<number>();
  while (pairs.size < wanted) addPair(pairs, draw(random) * people + random.below(people), posts * people);
  return {
    posts: Uint32Array.from(pairs, (pair) => Math.floor(pair / people)),
    likers: Uint32Array.from(pairs, (pair) => pair % people),
  };
}

/** A pair that is taken gives way to the next free one, so that a world of few posts comes to an end. */
function addPair(pairs: Set<number>, pair: number, all: number): void {
  let free = pair;
  while (pairs.has(free)) free = (free + 1) % all;
  pairs.add(free);
}
