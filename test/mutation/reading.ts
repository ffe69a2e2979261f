// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is planted is code

import type { Mutant } from './mutant.ts';

const waiterFile = 'platform/postgres/waiter.ts';
const waiterTest = 'test/query/waiter.test.ts';
const entries = 'projectors/notify/stream.entries.ts';
const entriesTest = 'test/notify/stream.entries.test.ts';
const streamModel = 'test/notify/stream.model.test.ts';
const session = 'test/stream/session.test.ts';

/** What readers are answered, and told live (DESIGN §5, §7, §8). */
export const readingMutants: readonly Mutant[] = [
  {
    name: 'min-position-ignored',
    file: waiterFile,
    find: 'if (positions.length === 0 || targets.length === 0) return;',
    replace: 'if (positions.length >= 0 || targets.length === 0) return;',
    why: '§5: a reader does not see what they have just written',
    tests: [waiterTest],
  },
  {
    name: 'min-position-one-short',
    file: waiterFile,
    find: '(reached.get(`${target.consumer} ${p.topic}/${p.partition}`) ?? 0n) <= p.offset',
    replace: '(reached.get(`${target.consumer} ${p.topic}/${p.partition}`) ?? 0n) < p.offset',
    why: '§5: the wait ends before the very record is applied',
    tests: [waiterTest],
  },
  {
    name: 'parked-record-waited-for',
    file: waiterFile,
    find: '      if (parked) await refuseParked(pool, targets, positions);\n',
    replace: '',
    why: '§5: a read that asks for a parked record is answered without it',
    tests: [waiterTest],
  },
  {
    name: 'as-fresh-as-the-freshest',
    file: waiterFile,
    find: 'return times ? Math.min(...times.values()) : 0;',
    replace: 'return times ? Math.max(...times.values()) : 0;',
    why: '§5: X-As-Of says that everything up to then is there, and it is not',
    tests: [waiterTest],
  },
  {
    name: 'stale-serving',
    file: 'platform/postgres/serving.ts',
    find: 'const look = (): void => void refresh().catch(() => {});',
    replace: 'const look = (): void => {};',
    why: '§6: readers stay with a version after the switch',
    tests: ['test/query/waiter.test.ts'],
  },
  {
    name: 'rules-left-out',
    file: 'query-api/pipeline.ts',
    find: 'const shown = entries.filter((entry) => steps.rules(entry, hydrated));',
    replace: 'const shown = entries.filter((entry) => steps.rules(entry, hydrated) || true);',
    why: '§7: a list shows what its reader may not see',
    tests: ['test/query/pipeline.test.ts'],
  },
  {
    name: 'thin-page-left-thin',
    file: 'query-api/pipeline.ts',
    find: 'const maxRounds = 5;',
    replace: 'const maxRounds = 1;',
    why: '§7: a page that the rules thin out is filled up to its limit',
    tests: ['test/query/pipeline.test.ts'],
  },
  {
    name: 'unfinished-post-shown',
    file: 'schemas/visibility/visibility.ts',
    find: "return post.mediaReady || relation === 'owner';",
    replace: 'return true;',
    why: '§7: a post shows before its media is ready',
    tests: ['test/command/like.decide.test.ts'],
  },
  {
    name: 'deleted-post-shown',
    file: 'schemas/visibility/visibility.ts',
    find: '  if (!post.live) return false;\n',
    replace: '',
    why: '§7: a deleted post is liked, listed and told of',
    tests: ['test/command/like.decide.test.ts'],
  },
  {
    name: 'deleted-post-in-history',
    file: 'query-api/stream/still-shows.ts',
    find: 'return !maySeePost(relation, { live: row.live, mediaReady: true });',
    replace: 'return !maySeePost(relation, { live: true, mediaReady: true });',
    why: '§8: history tells of a post that was deleted since',
    tests: ['test/stream/visibility.test.ts'],
  },
  {
    name: 'told-before-it-shows',
    file: entries,
    find: 'WHERE r.live IS NOT TRUE)`',
    replace: 'WHERE r.live IS FALSE)`',
    why: '§8: followers are told of a post whose media is not ready',
    tests: [entriesTest],
  },
  {
    name: 'told-of-what-was-before-the-follow',
    file: entries,
    find: 'AND f.live AND f.followed_at <= p.event_time',
    replace: 'AND f.live',
    why: '§8: a new follower is told of old posts',
    tests: [entriesTest],
  },
  {
    name: 'told-of-a-deleted-post',
    file: entries,
    find: 'WHERE p.live AND (p.post_id = ANY($1::uuid[])',
    replace: 'WHERE (p.post_id = ANY($1::uuid[])',
    why: '§8: followers are told of a post that comes after its deletion',
    tests: [entriesTest],
  },
  {
    name: 'frame-kept-twice',
    file: entries,
    find: 'WHERE NOT EXISTS (SELECT FROM stream.entry e WHERE e.user_id = a.user_id AND e.event_id = a.event_id)',
    replace: 'WHERE true',
    why: 'rule 5: an event that comes again is told again',
    tests: [entriesTest],
  },
  {
    name: 'heads-not-locked',
    file: entries,
    find: 'ON CONFLICT (user_id) DO UPDATE SET seq = h.seq`',
    replace: 'ON CONFLICT (user_id) DO NOTHING`',
    why: '§8: two processes give one number twice, or a hole that is never filled',
    tests: [entriesTest],
  },
  {
    name: 'each-like-is-news',
    file: 'projectors/notify/stream.model.ts',
    find: 'eventId: once ? v5(once, framesOnce) : event.meta.id,',
    replace: 'eventId: event.meta.id,',
    why: 'rule 5: a like that is taken back and given again notifies again',
    tests: [streamModel],
  },
  {
    name: 'hole-leapt-over',
    file: 'query-api/stream/session.ts',
    find: 'const next = session.early.get(session.position + 1);',
    replace: 'const next = session.early.get(session.position + 1) ?? session.early.values().next().value;',
    why: '§8: a frame that was lost on the way is never told',
    tests: [session],
  },
  {
    name: 'lost-history-passed-over',
    file: 'query-api/stream/session.ts',
    find: 'if (frame.seq !== session.position + 1) return gone(session, effects);',
    replace: '',
    why: '§8: a reader whose history is gone is not told that frames are missing',
    tests: [session],
  },
];
