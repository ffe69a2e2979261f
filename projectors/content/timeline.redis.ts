import { randomUUID } from 'node:crypto';
import type { Redis } from '../../platform/redis/redis.ts';
import { type TimelineRules, timelineKeys } from '../../schemas/content/timeline.keys.ts';
import { type Entry, memberOf, type TimelineEdit } from './timeline.model.ts';

/** A partition's generation, as the Redis side of its fence. */
export interface Fence {
  topic: string;
  partition: number;
  generation: bigint;
}

/** Redis does not hold the epoch that Postgres names: the timelines must be made again. */
export class EpochLost extends Error {
  override name = 'EpochLost';
}

/** A newer process holds the partition. */
export class StaleTimelineWriter extends Error {
  override name = 'StaleTimelineWriter';
}

/*
 * KEYS: epoch, the fences, then one timeline an edit. ARGV: epoch, count of fences, their generations, the length
 * kept, then for each timeline: count and authors to drop, count and members to drop, count and (score, member) to add.
 * Answers with the indexes of full timelines that lost something: what was cut off them before must come back.
 */
const editScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('EPOCH') end
local fences = tonumber(ARGV[2])
for i = 1, fences do
  local held = redis.call('GET', KEYS[1 + i])
  if held and tonumber(held) > tonumber(ARGV[2 + i]) then return redis.error_reply('FENCED') end
end
local length = tonumber(ARGV[3 + fences])
local a = 4 + fences
local short = {}
for k = 2 + fences, #KEYS do
  local key = KEYS[k]
  local authors = tonumber(ARGV[a]); a = a + 1
  local before = redis.call('ZCARD', key)
  local gone = 0
  if authors > 0 and before > 0 then
    local drop = {}
    for i = 0, authors - 1 do drop[ARGV[a + i]] = true end
    local members = redis.call('ZRANGE', key, 0, -1)
    for _, member in ipairs(members) do
      if drop[string.sub(member, 38)] then gone = gone + redis.call('ZREM', key, member) end
    end
  end
  a = a + authors
  local drops = tonumber(ARGV[a]); a = a + 1
  for i = 0, drops - 1 do gone = gone + redis.call('ZREM', key, ARGV[a + i]) end
  a = a + drops
  local adds = tonumber(ARGV[a]); a = a + 1
  for i = 0, adds - 1 do redis.call('ZADD', key, ARGV[a + 2 * i], ARGV[a + 2 * i + 1]) end
  a = a + 2 * adds
  if adds > 0 then
    local over = redis.call('ZCARD', key) - length
    if over > 0 then redis.call('ZREMRANGEBYRANK', key, 0, over - 1) end
  end
  if gone > 0 and before >= length then short[#short + 1] = k - 2 - fences end
end
return short`;

/* KEYS: fences. ARGV: generations. A generation never goes back. */
const fenceScript = `
for i = 1, #KEYS do
  local held = redis.call('GET', KEYS[i])
  if not held or tonumber(held) < tonumber(ARGV[i]) then redis.call('SET', KEYS[i], ARGV[i]) end
end
return 1`;

/* KEYS: remake, timelines. ARGV: token, then for each timeline: count and (score, member). A later remake ends this one. */
const replaceScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('FENCED') end
local a = 2
for k = 2, #KEYS do
  redis.call('DEL', KEYS[k])
  local adds = tonumber(ARGV[a]); a = a + 1
  for i = 0, adds - 1 do redis.call('ZADD', KEYS[k], ARGV[a + 2 * i], ARGV[a + 2 * i + 1]) end
  a = a + 2 * adds
end
return 1`;

/* The same while the epoch stands. KEYS: epoch, timelines. ARGV: epoch, then as above. */
const rewriteScript = replaceScript.replace('FENCED', 'EPOCH');

/* KEYS: remake, epoch. ARGV: token, epoch. */
const finishScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('FENCED') end
redis.call('DEL', KEYS[1])
return redis.call('SET', KEYS[2], ARGV[2])`;

/** Readers in one script call: it blocks Redis while it runs. */
const editsPerCall = 200;
/** Each may have a thousand entries, and a script takes a bounded number of arguments. */
const timelinesPerReplace = 3;

export interface TimelineStore {
  raiseFences(fences: readonly Fence[]): Promise<void>;
  /** Applies the edits and gives the readers whose full timeline lost something. */
  edit(epoch: string, fences: readonly Fence[], edits: readonly TimelineEdit[]): Promise<string[]>;
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

  const editSome = async (
    epoch: string,
    fences: readonly Fence[],
    edits: readonly TimelineEdit[],
  ): Promise<string[]> => {
    const names = [keys.epoch, ...fenceKeys(fences), ...edits.map((edit) => keys.timeline(edit.reader))];
    const args = [epoch, fences.length, ...generations(fences), rules.length, ...edits.flatMap(editArgs)];
    const short = (await redis.eval(editScript, names.length, ...names, ...args)) as number[];
    return short.map((index) => edits[index]!.reader);
  };

  const replaceSome = async (
    script: string,
    guard: string,
    token: string,
    timelines: ReadonlyMap<string, readonly Entry[]>,
  ): Promise<void> => {
    for (const some of pagesOf([...timelines], timelinesPerReplace)) {
      const names = [guard, ...some.map(([reader]) => keys.timeline(reader))];
      const args = some.flatMap(([, entries]) => [entries.length, ...entries.flatMap(addArgs)]);
      await redis.eval(script, names.length, ...names, token, ...args).catch(throwNamed);
    }
  };

  return {
    async raiseFences(fences) {
      if (fences.length === 0) return;
      await redis.eval(fenceScript, fences.length, ...fenceKeys(fences), ...generations(fences));
    },
    async edit(epoch, fences, edits) {
      const short: string[] = [];
      for (const some of pagesOf(edits, editsPerCall)) {
        short.push(...(await editSome(epoch, fences, some).catch(throwNamed)));
      }
      return short;
    },
    readEpoch: () => redis.get(keys.epoch),
    rewrite: (epoch, timelines) => replaceSome(rewriteScript, keys.epoch, epoch, timelines),
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
      await redis.set(keys.remake, token);
      return {
        replace: (timelines) => replaceSome(replaceScript, keys.remake, token, timelines),
        async finish(epoch) {
          await redis.eval(finishScript, 2, keys.remake, keys.epoch, token, epoch).catch(throwNamed);
        },
      };
    },
  };
}

function editArgs(edit: TimelineEdit): (string | number)[] {
  const adds = edit.add.flatMap(addArgs);
  return [
    edit.dropAuthors.length,
    ...edit.dropAuthors,
    edit.drop.length,
    ...edit.drop,
    edit.add.length,
    ...adds,
  ];
}

function addArgs(entry: Entry): (string | number)[] {
  return [entry.publishedAt, memberOf(entry)];
}

function pagesOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

function throwNamed(error: Error): never {
  if (error.message.includes('EPOCH')) throw new EpochLost('Redis holds other timelines than Postgres names');
  if (error.message.includes('FENCED'))
    throw new StaleTimelineWriter('another process writes these timelines now');
  throw error;
}
