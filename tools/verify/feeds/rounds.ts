import { setTimeout as sleep } from 'node:timers/promises';
import { addSum } from '../bytes/checksum.ts';
import { type FeedResult, keep } from '../results.ts';
import type { Verified } from '../snapshot.ts';
import type { World } from '../source.ts';
import { type Look, openLook } from './look.ts';
import { movementIn, tailBehind } from './moving.ts';
import { compareReaders } from './readers.ts';
import { epochInRedis } from './timelines.ts';

const mostLooks = 5;
const pauseMs = 500;
/** Readers under one look: each may have a thousand entries, and posts of all it follows. */
const readersALook = 50;

/** Readers, and the entries of their feeds that are still to be told; all of them when not said. */
type Open = Map<string, Set<string> | null>;

/**
 * Redis can't be read as of a moment, and timelines are written before their position is saved. So these readers'
 * feeds are compared with the tables that were verified, as of a newer moment, up to five times: what still differs
 * while no event behind that moment's positions bears on it is a difference.
 */
export async function lookAgain(
  world: World,
  model: Verified,
  readers: readonly string[],
  result: FeedResult,
): Promise<void> {
  let open: Open = new Map(readers.map((reader) => [reader, null]));
  for (let look = 1; look <= mostLooks && open.size > 0; look += 1) {
    if (look > 1) await sleep(pauseMs);
    const moving: Open = new Map();
    for (const page of pagesOf([...open], readersALook)) {
      const still = await lookAt(world, model, new Map(page), result);
      if (!still) return;
      for (const [reader, entries] of still) moving.set(reader, entries);
    }
    open = moving;
  }
  for (const entries of open.values()) result.moving += entries!.size;
}

function pagesOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, page) =>
    items.slice(page * size, (page + 1) * size),
  );
}

/** Gives what moves; null: Redis has lost the timelines. */
async function lookAt(world: World, model: Verified, open: Open, result: FeedResult): Promise<Open | null> {
  const look = await openLook(world.pool, model);
  try {
    if ((await epochInRedis(world.redis, world.prefix, model.state.version)) === look.epoch)
      return await compareUnder(world, model, look, open, result);
    result.from = 'postgres';
    return null;
  } finally {
    await look.close();
  }
}

async function compareUnder(
  world: World,
  model: Verified,
  look: Look,
  open: Open,
  result: FeedResult,
): Promise<Open> {
  const ids = [...open.keys()];
  const { follows, posts } = await look.factsOf(ids);
  const facts = {
    ids,
    followsOf: (reader: string) => follows.get(reader) ?? [],
    postsOf: (author: string) => posts.get(author) ?? [],
    pulled: look.pulled,
  };
  const found = await compareReaders(world, model, facts, Number.POSITIVE_INFINITY);
  addSum(result.table.expected, found.equal.expected);
  addSum(result.table.actual, found.equal.actual);
  const moving: Open = new Map();
  if (found.differing.length === 0) return moving;
  const moves = await movementIn(world, model, await tailBehind(world, model, look.positions));
  for (const feed of found.differing) {
    const asked = open.get(feed.reader);
    const told = feed.differences.filter(({ key }) => !asked || asked.has(key));
    const still = told.filter((difference) => moves(feed, difference));
    if (still.length > 0) moving.set(feed.reader, new Set(still.map(({ key }) => key)));
    for (const difference of told)
      if (!still.includes(difference)) keep(result.differences, result.table, () => difference);
  }
  return moving;
}
