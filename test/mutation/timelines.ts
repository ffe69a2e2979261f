// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is planted is code

import type { Mutant } from './mutant.ts';

const [facts, runner, scripts] = ['facts', 'runner', 'scripts'].map(
  (name) => `projectors/content/timeline.${name}.ts`,
) as [string, string, string];
const timelinesTest = 'test/projection/timelines.test.ts';
const storeTest = 'test/projection/timeline-store.test.ts';

/** Home feeds (DESIGN §6, rule 3's exception). */
export const timelineMutants: readonly Mutant[] = [
  {
    name: 'backfill-19',
    file: 'schemas/content/timeline.keys.ts',
    find: 'backfill: 20 };',
    replace: 'backfill: 19 };',
    why: '§6: a follow brings the 20 newest posts from before it',
    tests: [storeTest],
  },
  {
    name: 'backfill-21',
    file: facts,
    find: 'LIMIT ${rules.backfill})`;',
    replace: 'LIMIT ${rules.backfill} + 1)`;',
    why: '§6: a follow brings the 20 newest posts from before it',
    tests: [storeTest],
  },
  {
    name: 'cut-at-999',
    file: 'schemas/content/timeline.keys.ts',
    find: 'length: 1_000,',
    replace: 'length: 999,',
    why: '§6: a feed is the newest 1,000 posts',
    tests: [storeTest],
  },
  {
    name: 'never-cut',
    file: scripts,
    find: "if over > 0 then redis.call('ZREMRANGEBYRANK', key, 0, over - 1) end",
    replace: "if over > 100000 then redis.call('ZREMRANGEBYRANK', key, 0, over - 1) end",
    why: 'rule 8: a timeline grows without bound',
    tests: [timelinesTest],
  },
  {
    name: 'believed-while-remade',
    file: scripts,
    find: "redis.call('DEL', KEYS[3])\nredis.call('SET', KEYS[2]",
    replace: "redis.call('SET', KEYS[2]",
    why: '§6: a Redis that was started again is believed from the beginning of the remake, not from its end',
    tests: [storeTest],
  },
  {
    name: 'own-posts-missing',
    file: facts,
    find: 'const readers = [...idsOf(row.readers), entry.authorId];',
    replace: 'const readers = [...idsOf(row.readers)];',
    why: "§6: the reader's own posts are in their feed",
    tests: [timelinesTest],
  },
  {
    name: 'own-posts-missing-when-made-again',
    file: facts,
    find: 'WHERE author_id = r.reader AND live',
    replace: 'WHERE author_id = r.reader AND NOT live',
    why: "§6: the reader's own posts are in their feed, after Redis was lost too",
    tests: [timelinesTest],
  },
  {
    name: 'pulled-author-fanned-out',
    file: facts,
    find: "AND (NOT p.live OR ${notPulled(s, 'p.author_id')})",
    replace: '',
    why: 'rule 8: a post of an author with a million followers is written a million times',
    tests: [timelinesTest],
  },
  {
    name: 'late-post-takes-no-place',
    file: facts,
    find: '    for (const reader of idsOf(row.late)) fan.pairs.push({ reader, author: entry.authorId });\n',
    replace: '',
    why: 'rule 4: a post from before the follow that comes late is not in the feed',
    tests: [timelinesTest],
  },
  {
    name: 'deleted-post-stays-in-feeds',
    file: facts,
    find: '(row.live ? fan.adds : fan.drops).push({ entry, readers });',
    replace: 'if (row.live) fan.adds.push({ entry, readers });',
    why: '§6: a deleted post leaves the feeds',
    tests: [timelinesTest],
  },
  {
    name: 'full-timeline-left-short',
    file: runner,
    find: '  if (dropped) await restore(round, part);\n',
    replace: '',
    why: '§6: what was cut off a full timeline comes back when something leaves it',
    tests: [timelinesTest],
  },
  {
    name: 'position-before-redis',
    file: runner,
    find: "  crashPoint('timelines.committed');\n",
    replace: '  await saveApplied(engine.pool, installed.consumer, part);\n',
    also: [
      {
        find: "  crashPoint('timelines.shown');\n  await saveApplied(engine.pool, installed.consumer, part);\n",
        replace: '',
      },
    ],
    why: 'rule 3: who dies in between has committed rows that no timeline shows',
    tests: [storeTest],
  },
  {
    name: 'fence-in-redis-dropped',
    file: scripts,
    find: "if held and tonumber(held) > tonumber(ARGV[2 + i]) then return redis.error_reply('FENCED') end",
    replace: '',
    why: 'rule 3: a stale process writes over the timelines of the one that has taken over',
    tests: [storeTest],
  },
  {
    name: 'fence-goes-back',
    file: scripts,
    find: "if not held or tonumber(held) < tonumber(ARGV[i]) then redis.call('SET', KEYS[i], ARGV[i]) end",
    replace: "redis.call('SET', KEYS[i], ARGV[i])",
    why: 'rule 3: a stale process that wakes up lowers the fence, and writes',
    tests: [storeTest],
  },
  {
    name: 'epoch-not-compared',
    file: scripts,
    find: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('EPOCH') end",
    replace: '',
    why: '§6: single entries are written into timelines that Redis has lost',
    tests: [storeTest],
  },
  {
    name: 'two-make-them-again',
    file: scripts,
    find: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('FENCED') end\nlocal a = 2",
    replace: "if false then return redis.error_reply('FENCED') end\nlocal a = 2",
    why: 'rule 3: who was making the timelines again, and was overtaken, writes older ones over newer',
    tests: [storeTest],
  },
  {
    name: 'old-epoch-believed',
    file: 'query-api/content/feed.reads.ts',
    find: 'if (timeline?.epoch !== epoch) return',
    replace: 'if (!timeline) return',
    why: '§6: a feed is answered from timelines that are not whole',
    tests: ['test/features/timelines.test.ts'],
  },
  {
    name: 'lost-redis-not-noticed',
    file: runner,
    find: 'if ((await options.store.readEpoch()) === (await epochOf(engine.pool, installed))) return false;',
    replace: 'if ((await options.store.readEpoch()) !== undefined) return false;',
    why: '§6: timelines that Redis has lost are never made again',
    tests: [timelinesTest],
  },
];
