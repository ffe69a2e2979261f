// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is planted is code

import type { Mutant } from './mutant.ts';

const [apply, tables, registers] = ['apply', 'tables', 'registers'].map(
  (name) => `projectors/engine/${name}.ts`,
) as [string, string, string];
const likeModel = 'test/content/like.model.test.ts';
const followModel = 'test/graph/follow.model.test.ts';
const postModel = 'test/content/post.model.test.ts';
const userModel = 'test/account/user.model.test.ts';
const together = 'test/projection/together.test.ts';

/** How rounds become rows (DESIGN §2 rules 1, 2, 4). */
export const engineMutants: readonly Mutant[] = [
  {
    name: 'position-saved-early',
    file: apply,
    find: 'await kind.fence(client, installed.consumer, steps);',
    replace: 'await kind.fence(context.pool, installed.consumer, steps);',
    why: 'rule 3: the position is saved in a transaction of its own, before the rows: a round that fails is lost',
    tests: ['test/projection/parking.test.ts'],
  },
  {
    name: 'made-ready-for-another-round',
    file: apply,
    find: 'known.events.length === events.length &&\n    known.events.every((event, n) => event === events[n]);',
    replace: 'true;',
    why: 'rule 6: what waits behind a parked record is written all the same, because the round was encoded with it',
    tests: ['test/projection/ahead.test.ts'],
  },
  {
    name: 'erased-come-back',
    file: tables,
    find: "if (column.name === 'live') return `${said} AND ${stands}`;",
    replace: "if (column.name === 'live') return said;",
    why: 'rule 2: a like that arrives after its giver was erased counts',
    tests: [likeModel],
  },
  {
    name: 'erased-stay',
    file: apply,
    find: 'const erased = await eraseRows(client, installed, erasedBy(installed, changes));',
    replace: 'const erased = await eraseRows(client, installed, []);',
    why: 'rule 2: what was there when its owner was erased goes on to be shown',
    tests: [likeModel],
  },
  {
    name: 'erased-come-back-with-a-rebuild',
    file: 'projectors/engine/rebuild/finish.ts',
    find: '  await eraseAll(client, installed);\n',
    replace: '',
    why: 'rule 2: a view that is made again shows who was erased',
    tests: [likeModel],
  },
  {
    name: 'erasure-sees-no-rounds',
    file: apply,
    find: '  await lockErasures(client, installed, events.some(isErasure));\n',
    replace: '',
    why: 'rule 4: of a like and an erasure applied at once neither sees the other, and the like stays',
    tests: [together],
  },
  {
    name: 'erasure-waits-behind-what-is-parked',
    file: apply,
    find: '    !isErasure(event) &&\n',
    replace: '',
    why: 'rule 2: a profile whose key is parked is shown for ever',
    tests: ['test/projection/parking.test.ts'],
  },
  {
    name: 'locks-not-taken',
    file: apply,
    find: '  await lockTogether(client, installed, events);\n',
    replace: '',
    why: 'rule 4: of a post and its media applied at once neither sees the other, and the post never shows',
    tests: [together],
  },
  {
    name: 'older-event-wins',
    file: tables,
    find: 'WHERE (t.event_time, t.event_id) < (excluded.event_time, excluded.event_id)`',
    replace: 'WHERE true`',
    why: 'rule 1: what arrives last wins, not what is newest',
    tests: [likeModel],
  },
  {
    name: 'ties-by-arrival-in-the-table',
    file: tables,
    find: 'WHERE (t.event_time, t.event_id) < (excluded.event_time, excluded.event_id)`',
    replace: 'WHERE t.event_time < excluded.event_time`',
    why: 'rule 1: of two events of one moment the one that came first wins, whatever its id',
    tests: [likeModel],
  },
  {
    name: 'ties-by-arrival-in-the-round',
    file: registers,
    find: 'return a.eventTime < b.eventTime || (a.eventTime === b.eventTime && a.eventId < b.eventId);',
    replace: 'return a.eventTime < b.eventTime;',
    why: 'rule 1: within a round ids of one moment are not compared',
    tests: [likeModel],
  },
  {
    name: 'last-of-the-round-wins',
    file: registers,
    find: 'if (!known || isOlder(known, change)) table.rows.set(id, change);',
    replace: 'if (!known || known !== change) table.rows.set(id, change);',
    why: 'rule 1: within a round what came last wins',
    tests: [likeModel],
  },
  {
    name: 'duplicate-counted',
    file: tables,
    find: "const moved = 'new.live::int - coalesce(old.live, false)::int AS moved';",
    replace: "const moved = 'CASE WHEN new.live THEN 1 ELSE -coalesce(old.live, false)::int END AS moved';",
    why: 'rule 4: a like that is said again is counted again',
    tests: [likeModel],
  },
  {
    name: 'count-replaced',
    file: tables,
    find: '`${c} = c.${c} + excluded.${c}`',
    replace: '`${c} = excluded.${c}`',
    why: 'rule 4: a count is that of the last round, not of all',
    tests: [likeModel],
  },
  {
    name: 'only-counts-that-move-have-rows',
    file: tables,
    find: "FROM (${parts.join(' UNION ALL ')}) AS m GROUP BY",
    replace:
      "FROM (${parts.join(' UNION ALL ')}) AS m WHERE ${columns.map((c) => `${c} <> 0`).join(' OR ')} GROUP BY",
    why: 'rule 1: which counts have a row depends on how the events were cut into rounds',
    tests: [likeModel, followModel],
  },
  {
    name: 'rows-in-the-order-of-arrival',
    file: tables,
    find: ' ORDER BY ${order}\n',
    replace: '\n',
    why: 'rule 4: two processes write the same rows in other orders and wait for each other in a ring',
    tests: [together],
  },
  {
    name: 'keys-not-held',
    file: 'projectors/engine/decoding.ts',
    find: 'loadDataKeys(client, master, [...owners], { share: true })',
    replace: 'loadDataKeys(client, master, [...owners], { share: false })',
    why: 'rule 2: an account is erased while its names are being written, and they stay',
    tests: [together],
  },
  {
    name: 'erased-account-leaves-nothing',
    file: 'projectors/account/user.model.ts',
    find: "? [remove('person', { user_id: event.userId }), remove('profile', { user_id: event.userId })]",
    replace: '? []',
    why: 'rule 2: replay after an erasure yields no tombstone, and readers still see the row',
    tests: [userModel],
  },
  {
    name: 'deleted-post-forgotten',
    file: 'projectors/content/post.model.ts',
    find: "PostDeleted: (event) => [remove('post', { post_id: event.postId, author_id: event.authorId })],",
    replace: 'PostDeleted: () => [],',
    why: 'rule 1: a deletion leaves no tombstone',
    tests: [postModel],
  },
  {
    name: 'late-media-shows-nothing',
    file: 'projectors/content/post.model.ts',
    find: 'WHERE post_id = ANY($1::uuid[]) OR media_ids && $2::uuid[]',
    replace: 'WHERE post_id = ANY($1::uuid[]) OR (false AND media_ids && $2::uuid[])',
    why: 'rule 4: a post whose media comes after it never shows',
    tests: [postModel],
  },
];
