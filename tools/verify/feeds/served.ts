import { startPhase } from '../../load/progress.ts';
import { createScratch, hashOf, putCell, uuidAt } from '../bytes/cells.ts';
import { addSum } from '../bytes/checksum.ts';
import { rowAt } from '../bytes/layout.ts';
import { factsPile, type Subject } from '../piles/gather.ts';
import type { Spill } from '../piles/spill.ts';
import { type FeedResult, keptDifferences } from '../results.ts';
import type { World } from '../source.ts';
import { foldFacts, winnerBytes, winnerRow } from '../tables/fold.ts';
import { type AuthorPosts, collectPosts } from './author-posts.ts';
import type { Entry, Follow } from './feeds.ts';
import { openLook } from './look.ts';
import { tailBehind } from './moving.ts';
import { compareReaders, type Readers } from './readers.ts';
import { lookAgain } from './rounds.ts';
import { epochInRedis, scanReaders } from './timelines.ts';

export interface FeedWork {
  world: World;
  subject: Subject;
  spill: Spill;
  result: FeedResult;
  /** Where posts are laid that are too many for memory, and how many bytes are not. */
  posts: { path: string; keptBytes: number };
  /** Called between buckets; throws when verify is to end. */
  turn(): Promise<void>;
}

/** Compares what every reader's home feed is served from with the function of facts (DESIGN §6). */
export async function compareFeeds(work: FeedWork): Promise<void> {
  const { world, subject, spill, result } = work;
  const { version } = subject.state;
  const look = await openLook(world.pool, subject);
  await look.close();
  if ((await epochInRedis(world.redis, world.prefix, version)) !== look.epoch) {
    result.from = 'postgres';
    return;
  }
  const bucketOf = bucketsOf(subject);
  for (let bucket = 0; bucket < subject.buckets; bucket += 1) spill.drop(readersPile(subject, bucket));
  await scanReaders(world.redis, world.prefix, version, (reader) =>
    addReader(spill, readersPile(subject, bucketOf(reader)), reader),
  );
  const posts = collectPosts(subject, spill, bucketOf, work.posts.path, work.posts.keptBytes);
  const phase = startPhase('feeds', subject.buckets);
  try {
    for (; result.done < subject.buckets && result.from === 'redis'; result.done += 1) {
      phase.at(result.done, subject.buckets);
      await compareBucket(work, look.pulled, posts);
      await work.turn();
    }
    phase.at(result.done, subject.buckets);
  } finally {
    phase.end();
    posts.close();
  }
}

/** The first look is against the log; who differs while events come in is looked at again. */
async function compareBucket(work: FeedWork, pulled: ReadonlySet<string>, posts: AuthorPosts): Promise<void> {
  const { world, subject, spill, result } = work;
  const follows = followsOf(subject, spill, result.done);
  const readers = new Set([...follows.keys(), ...posts.authorsIn(result.done)]);
  spill.each(readersPile(subject, result.done), (id) => readers.add(uuidAt(id, 0)));
  const facts: Readers = {
    ids: [...readers],
    followsOf: (reader) => follows.get(reader) ?? [],
    postsOf: remembering(posts.of),
    pulled,
  };
  const found = await compareReaders(world, subject, facts, keptDifferences);
  addSum(result.table.expected, found.equal.expected);
  addSum(result.table.actual, found.equal.actual);
  result.readers += readers.size;
  if (found.differing.length === 0) return;
  const tail = await tailBehind(world, subject, subject.state.positions);
  const open = found.differing.map(({ reader }) => reader);
  if (tail.length > 0) return lookAgain(world, subject, open, result);
  addSum(result.table.expected, found.unequal.expected);
  addSum(result.table.actual, found.unequal.actual);
  result.table.differences += found.differences;
  const room = Math.max(0, keptDifferences - result.differences.length);
  result.differences.push(...found.differing.flatMap((feed) => feed.differences).slice(0, room));
}

/** Which bucket's piles hold the facts of this reader or author. */
function bucketsOf({ buckets }: Subject): (id: string) => number {
  const scratch = createScratch();
  return (id) => {
    scratch.length = 0;
    putCell(scratch, id);
    return hashOf(scratch.bytes, 0, scratch.length) % buckets;
  };
}

const readersPile = ({ state }: Subject, bucket: number): string => `${state.model}.readers.${bucket}`;

function addReader(spill: Spill, pile: string, reader: string): void {
  spill.add(pile, Buffer.from(reader.replaceAll('-', ''), 'hex'), 16);
}

/** The live follows of each reader of this bucket. */
function followsOf(subject: Subject, spill: Spill, bucket: number): Map<string, Follow[]> {
  const { layouts, state } = subject;
  const layout = layouts.find(({ table }) => table === 'timeline_follow')!;
  const { winners } = foldFacts(subject, (take) =>
    spill.each(factsPile(state.model, bucket), (fact) => {
      if (fact[0] === layout.index) take(fact);
    }),
  );
  const follows = new Map<string, Follow[]>();
  for (const winner of winners[layout.index]!.values()) {
    const row = rowAt(layout, winnerBytes(winner), winnerRow);
    const own = follows.get(row.follower_id!) ?? [];
    follows.set(row.follower_id!, own);
    if (row.live === 'true') own.push({ authorId: row.followee_id!, since: Number(row.followed_at) });
  }
  return follows;
}

const rememberedAuthors = 1_000;

/** Much followed authors are in one feed after the other. */
function remembering(postsOf: (author: string) => Entry[]): (author: string) => Entry[] {
  const known = new Map<string, Entry[]>();
  return (author) => {
    const own = known.get(author) ?? postsOf(author);
    if (known.size >= rememberedAuthors) known.clear();
    known.set(author, own);
    return own;
  };
}
