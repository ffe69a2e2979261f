import { randomUUID } from 'node:crypto';
import { type Redis, readOfThisLife } from '../../platform/redis/redis.ts';
import { type TimelineRules, timelineKeys } from '../../schemas/content/timeline.keys.ts';
import { type Entry, memberOf, type TimelineEdit } from './timeline.model.ts';
import {
  beginScript,
  editScript,
  fenceScript,
  finishScript,
  replaceScript,
  restoredScript,
  rewriteScript,
} from './timeline.scripts.ts';

/** A partition's generation, as the Redis side of its fence. */
export interface Fence {
  topic: string;
  partition: number;
  generation: bigint;
}

/** Redis does not hold the epoch that Postgres names, or was started again since: the timelines must be made again. */
export class EpochLost extends Error {
  override name = 'EpochLost';
}

/** A newer process holds the partition. */
export class StaleTimelineWriter extends Error {
  override name = 'StaleTimelineWriter';
}

/** Of one script call, which blocks Redis while it runs: about a hundredth of a second. */
const readersPerCall = 200;
const entriesPerCall = 5_000;
/** What going through a timeline for its authors counts as: at most 1,000 entries are passed, most of them untouched. */
const entriesPassed = 200;

export interface TimelineStore {
  raiseFences(fences: readonly Fence[]): Promise<void>;
  edit(epoch: string, fences: readonly Fence[], edits: readonly TimelineEdit[]): Promise<void>;
  /** Some readers whose full timeline lost something by edits, until they are said to be restored. */
  short(limit: number): Promise<string[]>;
  restored(epoch: string, fences: readonly Fence[], readers: readonly string[]): Promise<void>;
  /** null when Redis was started again since it was given them. */
  readEpoch(): Promise<string | null>;
  /** Writes whole timelines over what is there, as long as the epoch stands. */
  rewrite(epoch: string, timelines: ReadonlyMap<string, readonly Entry[]>): Promise<void>;
  /** Starts making every timeline again; a remake that is under way elsewhere can write no more. */
  beginRemake(): Promise<Remake>;
  /** Removes every key of this version. */
  drop(): Promise<void>;
}

export interface Remake {
  /** Writes whole timelines over what is there. */
  replace(timelines: ReadonlyMap<string, readonly Entry[]>): Promise<void>;
  /** From here on readers take the timelines from Redis. */
  finish(epoch: string): Promise<void>;
}

export function openTimelineStore(
  redis: Redis,
  prefix: string,
  version: number,
  rules: TimelineRules,
): TimelineStore {
  const keys = timelineKeys(prefix, version);
  const fenceKeys = (fences: readonly Fence[]): string[] =>
    fences.map((f) => keys.fence(f.topic, f.partition));
  const generations = (fences: readonly Fence[]): string[] => fences.map((f) => f.generation.toString());
  /** What scripts begin with that write only while the epoch stands and nobody newer holds the partitions. */
  const guardOf = (epoch: string, fences: readonly Fence[]) => ({
    names: [keys.epoch, keys.life, keys.short, ...fenceKeys(fences)],
    args: [epoch, fences.length, ...generations(fences)],
  });

  const editSome = async (
    epoch: string,
    fences: readonly Fence[],
    edits: readonly TimelineEdit[],
  ): Promise<void> => {
    const guard = guardOf(epoch, fences);
    const names = [...guard.names, ...edits.map((edit) => keys.timeline(edit.reader))];
    const table = openEntries();
    const own = edits.flatMap(({ dropAuthors, drop, add }) => [
      ...[dropAuthors.length, ...dropAuthors],
      ...[drop.length, ...drop],
      table.placesOf(add),
    ]);
    const args = [...guard.args, rules.length, ...table.args(), ...own];
    await redis.eval(editScript, names.length, ...names, ...args);
  };

  const replaceAll = async (
    script: string,
    guard: string,
    token: string,
    timelines: ReadonlyMap<string, readonly Entry[]>,
  ): Promise<void> => {
    await oneAhead(
      pagesOf([...timelines], ([, entries]) => entries.length),
      async (some) => {
        const names = [guard, keys.life, ...some.map(([reader]) => keys.timeline(reader))];
        const table = openEntries();
        const own = some.map(([, entries]) => table.placesOf(entries));
        await redis.eval(script, names.length, ...names, token, ...table.args(), ...own).catch(throwNamed);
      },
    );
  };

  return {
    async raiseFences(fences) {
      if (fences.length === 0) return;
      await redis.eval(fenceScript, fences.length, ...fenceKeys(fences), ...generations(fences));
    },
    async edit(epoch, fences, edits) {
      const pages = pagesOf(edits, ({ add, drop, dropAuthors }) => {
        return add.length + drop.length + (dropAuthors.length > 0 ? entriesPassed : 0);
      });
      await oneAhead(pages, (some) => editSome(epoch, fences, some).catch(throwNamed));
    },
    short: (limit) => redis.srandmember(keys.short, limit),
    async restored(epoch, fences, readers) {
      const { names, args } = guardOf(epoch, fences);
      await redis.eval(restoredScript, names.length, ...names, ...args, ...readers).catch(throwNamed);
    },
    readEpoch: () => readOfThisLife(redis, keys.epoch, keys.life),
    rewrite: (epoch, timelines) => replaceAll(rewriteScript, keys.epoch, epoch, timelines),
    async drop() {
      for (let cursor = '0'; ; ) {
        const [next, found] = await redis.scan(cursor, 'MATCH', `${keys.timeline('')}*`, 'COUNT', 1_000);
        if (found.length > 0) await redis.unlink(...found);
        if (next === '0') return;
        cursor = next;
      }
    },
    async beginRemake() {
      const token = randomUUID();
      await redis.eval(beginScript, 4, keys.remake, keys.life, keys.epoch, keys.short, token);
      return {
        replace: (timelines) => replaceAll(replaceScript, keys.remake, token, timelines),
        async finish(epoch) {
          const names = [keys.remake, keys.life, keys.epoch];
          await redis.eval(finishScript, names.length, ...names, token, epoch).catch(throwNamed);
        },
      };
    },
  };
}

/** The entries of one script call, each once. */
function openEntries() {
  const places = new Map<Entry, number>();
  const place = (entry: Entry): number => {
    const known = places.get(entry);
    if (known !== undefined) return known;
    places.set(entry, places.size);
    return places.size - 1;
  };
  return {
    placesOf: (entries: readonly Entry[]): string =>
      entries.length === 0 ? '' : `[${entries.map(place).join()}]`,
    args: (): (string | number)[] => [
      places.size,
      ...[...places.keys()].flatMap((entry) => [entry.publishedAt, memberOf(entry)]),
    ],
  };
}

/** Pages of one script call each: so many readers, and about so many entries, whichever comes first. */
function pagesOf<T>(items: readonly T[], entriesOf: (item: T) => number): T[][] {
  const pages: T[][] = [];
  let entries = Number.POSITIVE_INFINITY;
  for (const item of items) {
    if (entries >= entriesPerCall || pages.at(-1)!.length === readersPerCall) {
      pages.push([]);
      entries = 0;
    }
    pages.at(-1)!.push(item);
    entries += entriesOf(item);
  }
  return pages;
}

/** Calls for one page after the other; each is made ready while Redis is at the one before. */
async function oneAhead<T>(pages: readonly T[], call: (page: T) => Promise<void>): Promise<void> {
  let before: Promise<void> | null = null;
  for (const page of pages) {
    const sent = call(page);
    // Whoever waits for it next tells; nobody may be missing in between.
    sent.catch(() => {});
    await before;
    before = sent;
  }
  await before;
}

function throwNamed(error: Error): never {
  if (error.message.includes('EPOCH')) throw new EpochLost('Redis holds other timelines than Postgres names');
  if (error.message.includes('FENCED'))
    throw new StaleTimelineWriter('another process writes these timelines now');
  throw error;
}
