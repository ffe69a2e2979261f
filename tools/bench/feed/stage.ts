import type { Event } from '../../../schemas/generated/events.ts';
import { createRandom, type Random } from '../../load/random.ts';
import type { Entry } from '../../verify/feeds/feeds.ts';
import { appendEvents, epochMs, idAt, likeEvent } from '../likes.ts';
import { createMembers, type Member, openTokens, registerMembers } from '../people.ts';
import { allApplied, installModels, startProjectors } from '../projectors.ts';
import type { BenchWorld } from '../world.ts';
import type { ArrivedFollow, ArrivedLike, Facts } from './truth.ts';

/** A world of readers, and all that the bench has written into it. */
export interface FeedStage {
  readers: Member[];
  /** By the reader's place. */
  tokens: string[];
  posts: Entry[];
  authors: Member[];
  facts: Facts;
  /** Writes down what is sent to the log from now on. */
  noteFollow(readerId: string, follow: ArrivedFollow): void;
  noteLike(postId: string, like: ArrivedLike): void;
}

const authorCount = 300;
const postsEach = 10;
const followsEach = 10;
const likesPerPost = 15;
/** Written before anything is read. */
const arrival = { sentAt: 0, ackedAt: 0 };

/** Everybody has an account; each reader follows ten of three hundred authors, who have ten posts each, with likes. */
export async function openFeedStage(
  world: BenchWorld,
  readerCount: number,
  say: (text: string) => void,
): Promise<FeedStage> {
  const random = createRandom('feed');
  const authors = createMembers(authorCount, 'author');
  const readers = createMembers(readerCount, 'reader');
  const drawn = draw(random, authors, readers);
  await installModels(world);
  const { events, dataKeys } = await registerMembers(world, [...authors, ...readers]);
  startProjectors(world);
  const parts = { registrations: events, follows: drawn.follows, posts: drawn.posts, likes: drawn.likes };
  for (const [name, part] of Object.entries(parts)) {
    say(`projecting ${part.length.toLocaleString('en')} ${name}`);
    await appendEvents(world, part, dataKeys);
    await allApplied(world);
  }
  const tokenOf = await openTokens(world);
  const tokens = readers.map(({ userId }) => tokenOf(userId));
  return { ...drawn.written, readers, tokens, authors };
}

/** Follows come first, so that posts are fanned out as they are in life. */
function draw(random: Random, authors: readonly Member[], readers: readonly Member[]) {
  const written = openWritten();
  let at = epochMs;
  const stamp = (actor: string) => {
    at += 1;
    const id = idAt(random, at);
    return {
      ...{ id, source: '/command-api', time: at, actor },
      ...{ correlation: id.replaceAll('-', ''), causation: null },
    };
  };
  const follows = readers.flatMap(({ userId }, n) =>
    Array.from({ length: followsEach }, (_, m): Event => {
      const author = authors[(n + m * 29) % authors.length]!;
      const meta = stamp(userId);
      written.noteFollow(userId, { authorId: author.userId, since: meta.time, arrival });
      return {
        type: 'UserFollowed',
        ...{ meta, followerId: userId, followeeId: author.userId, followedAt: meta.time },
      };
    }),
  );
  const posts = Array.from({ length: authors.length * postsEach }, (_, n): Event[] => {
    const { userId } = authors[n % authors.length]!;
    const meta = stamp(userId);
    const postId = idAt(random, meta.time);
    const caption = `The ${n}th light of the evening`;
    written.notePost({ postId, authorId: userId, at: meta.time }, caption);
    return [photoOf(random, postId, userId, stamp(userId)), postOf(postId, userId, caption, meta)];
  }).flat();
  const likes = written.posts.flatMap(({ postId, authorId }) =>
    Array.from({ length: random.below(2 * likesPerPost) }, (_, m): Event => {
      const first = random.below(readers.length);
      const likerId = readers[(first + m * 7_919) % readers.length]!.userId;
      at += 1;
      if (!written.likes.get(postId)?.some((like) => like.likerId === likerId))
        written.noteLike(postId, { likerId, arrival });
      return likeEvent({ postId, likerId, authorId, live: true, at, eventId: idAt(random, at) });
    }),
  );
  return { follows, posts, likes, written };
}

type Stamp = Event['meta'];

function postOf(postId: string, authorId: string, caption: string, meta: Stamp): Event {
  return {
    type: 'PostPublished',
    ...{ meta, postId, authorId, caption, mediaIds: [postId], location: null },
    ...{ isReel: false, hideCounts: false, commentsOff: false },
  };
}

const widths = { thumbnail: 150, small: 320, medium: 640, large: 1_080 };
const extensions = { jpeg: 'jpg', webp: 'webp' };

/** Under the post's id, with all the sizes that the pipeline makes of a photograph. */
function photoOf(random: Random, mediaId: string, ownerId: string, meta: Stamp): Event {
  const token = idAt(random, meta.time).replaceAll('-', '');
  const variants = Object.entries(widths).flatMap(([name, width]) =>
    Object.entries(extensions).map(([format, extension]) => ({
      ...{ name, format, width, height: Math.round(width * 0.75), bytes: width * 90 },
      objectKey: `m/${token}/${name}.${extension}`,
    })),
  );
  return {
    type: 'MediaReady',
    ...{ meta, mediaId, ownerId, kind: 'image', width: 4_032, height: 3_024 },
    ...{ placeholder: '3OcRJYB4d3h/iIeHeEh3eIhw+j2w', dominantColor: '#7a6f5d', variants },
  };
}

/** What was written, so that it can be told what must be read. */
function openWritten() {
  const posts: Entry[] = [];
  const captions = new Map<string, string>();
  const byAuthor = new Map<string, Entry[]>();
  const follows = new Map<string, ArrivedFollow[]>();
  const likes = new Map<string, ArrivedLike[]>();
  const note = <T>(map: Map<string, T[]>, key: string, value: T): void => {
    const known = map.get(key);
    if (known) known.push(value);
    else map.set(key, [value]);
  };
  const facts: Facts = {
    postsOf: (authorId) => byAuthor.get(authorId) ?? [],
    captionOf: (postId) => captions.get(postId) ?? '',
    followsOf: (readerId) => follows.get(readerId) ?? [],
    likesOf: (postId) => likes.get(postId) ?? [],
  };
  return {
    posts,
    likes,
    facts,
    notePost(post: Entry, caption: string): void {
      posts.push(post);
      captions.set(post.postId, caption);
      byAuthor.set(post.authorId, [post, ...(byAuthor.get(post.authorId) ?? [])]);
    },
    noteFollow: note.bind(null, follows) as FeedStage['noteFollow'],
    noteLike: note.bind(null, likes) as FeedStage['noteLike'],
  };
}
