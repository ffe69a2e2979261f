// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is planted is code

import type { Mutant } from './mutant.ts';

const folder = 'projectors/engine/rebuild';
const builds = 'test/rebuild/builds.test.ts';
const fillTest = 'test/rebuild/fill.test.ts';
const repairs = 'test/rebuild/repair.test.ts';
const likeModel = 'test/content/like.model.test.ts';
const postModel = 'test/content/post.model.test.ts';

/** Building a model again, leading readers there and back, and setting single rows right (DESIGN §6). */
export const rebuildMutants: readonly Mutant[] = [
  {
    name: 'staged-rows-by-arrival',
    file: `${folder}/staging.ts`,
    find: 'ORDER BY ${key}, event_time DESC, event_id DESC`',
    replace: 'ORDER BY ${key}`',
    why: 'rule 1: of the changes of a row any one is kept, not the newest',
    tests: [likeModel],
  },
  {
    name: 'staged-ties-by-arrival',
    file: `${folder}/staging.ts`,
    find: 'ORDER BY ${key}, event_time DESC, event_id DESC`',
    replace: 'ORDER BY ${key}, event_time DESC, event_id`',
    why: 'rule 1: of two changes of one moment the one with the smaller id is kept',
    tests: [likeModel],
  },
  {
    name: 'staged-rows-with-tombstones-counted',
    file: `${folder}/recount.ts`,
    find: "`${i === index ? `${counter.of ?? 'live'}::int` : '0'} AS ${other.column}`",
    replace: "`${i === index ? '1' : '0'} AS ${other.column}`",
    why: 'rule 4: after a rebuild likes that were taken back are counted',
    tests: [likeModel],
  },
  {
    name: 'keys-with-tombstones-only-not-counted',
    file: `${folder}/recount.ts`,
    find: '${schema}.${counter.from}`;\n  });',
    replace: '${schema}.${counter.from} WHERE live`;\n  });',
    why: 'rule 1: a rebuild makes other rows than the live path: a count of none is missing',
    tests: [likeModel],
  },
  {
    name: 'derivations-not-rebuilt',
    file: `${folder}/finish.ts`,
    find: '    await client.query(derivation.settle(schema, derivation.every(schema)));\n',
    replace: '    derivation.every(schema);\n',
    why: 'rule 1: after a rebuild no post shows',
    tests: [postModel],
  },
  {
    name: 'goes-on-behind-what-was-filled',
    file: `${folder}/finish.ts`,
    find: 'SELECT $1, topic, partition, position FROM engine.rebuild_partition',
    replace: 'SELECT $1, topic, partition, position + 1 FROM engine.rebuild_partition',
    why: 'rule 3: the ordinary path goes on from a wrong position, and leaves out a record',
    tests: [fillTest],
  },
  {
    name: 'emptied-staging-not-filled-again',
    file: `${folder}/fill.ts`,
    find: 'position = CASE WHEN $6 THEN p.position ELSE 0 END',
    replace: 'position = CASE WHEN $6 THEN p.position ELSE p.position END',
    why: 'rule 1: after a crash of Postgres, which empties the staging tables, a build goes on without what it had',
    tests: [fillTest],
  },
  {
    name: 'chunk-moved-by-another',
    file: `${folder}/fill.ts`,
    find: 'AND p.partition = n.partition AND p.position = n.expected`',
    replace: 'AND p.partition = n.partition`',
    why: 'rule 3: a chunk that another process has staged already moves the position again, over what was not read',
    tests: [fillTest],
  },
  {
    name: 'switch-before-catch-up',
    file: `${folder}/switch.ts`,
    find: 'WHERE s.consumer = $1 AND s.position > coalesce(o.position, 0)) AS behind`',
    replace: 'WHERE s.consumer = $1 AND false AND s.position > coalesce(o.position, 0)) AS behind`',
    why: '§6: readers are led to a version that lacks what they have seen',
    tests: [builds],
  },
  {
    name: 'served-version-moves-during-the-switch',
    file: `${folder}/switch.ts`,
    find: 'WHERE consumer = $1 ORDER BY topic, partition FOR UPDATE',
    replace: 'WHERE consumer = $1 ORDER BY topic, partition',
    why: '§6: what commits between the look and the switch is seen, and then it is not',
    tests: [builds],
  },
  {
    name: 'rollback-to-what-is-not-projected',
    file: `${folder}/switch.ts`,
    find: "if (rows[0]?.state !== 'projected')",
    replace: 'if (rows.length === 0)',
    why: '§6: readers are led to a version that is half filled, or that is being dropped',
    tests: [builds],
  },
  {
    name: 'previous-version-forgotten',
    file: 'projectors/engine/serving.ts',
    find: 'DO UPDATE SET version = excluded.version, previous = s.version, switched_at = now()',
    replace: 'DO UPDATE SET version = excluded.version, switched_at = now()',
    why: '§6: there is no way back from a switch',
    tests: [builds],
  },
  {
    name: 'switch-drops-the-way-back',
    file: `${folder}/switch.ts`,
    find: 'AND version <> $2 AND version IS DISTINCT FROM $3`',
    replace: 'AND version <> $2 AND version IS NOT NULL AND $3::int IS NOT NULL`',
    why: '§6: the version that was served until now is not projected any more, and a rollback loses what is written',
    tests: [builds],
  },
  {
    name: 'build-taken-twice',
    file: `${folder}/builds.ts`,
    find: 'WHERE (r.held_until IS NULL OR r.held_until < now())',
    replace: 'WHERE true',
    why: '§6: two processes work on one build',
    tests: [builds],
  },
  {
    name: 'builds-without-bound',
    file: `${folder}/builds.ts`,
    find: "(r.state = 'waiting' AND $5 > (SELECT count(*) FROM engine.rebuild WHERE state = ANY($4)))",
    replace: "(r.state = 'waiting' AND $5 > 0)",
    why: 'rule 8: as many builds run as are asked for',
    tests: [builds],
  },
  {
    name: 'lost-build-goes-on',
    file: `${folder}/builds.ts`,
    find: 'AND holder = $3 AND state = $4 FOR UPDATE`',
    replace: 'AND ($3::uuid IS NOT NULL) AND state = $4 FOR UPDATE`',
    why: '§6: a process whose build was taken over goes on staging into it',
    tests: [builds],
  },
  {
    name: 'cancelled-build-comes-back',
    file: `${folder}/builds.ts`,
    find: 'WHERE model = $1 AND version = $2 AND holder = $3 AND state = $4`,\n    [build.model, build.version, holder, build.state,',
    replace:
      'WHERE model = $1 AND version = $2 AND holder = $3 AND ($4::text IS NOT NULL)`,\n    [build.model, build.version, holder, build.state,',
    why: '§6: a build that was cancelled is finished, verified and served',
    tests: [builds],
  },
  {
    name: 'second-operator-not-told',
    file: `${folder}/builds.ts`,
    find: 'if (open) throw new Refused(alreadyUnderWay(open));',
    replace: '',
    why: '§6: a model is built twice at once',
    tests: [builds],
  },
  {
    name: 'repair-by-arrival',
    file: `${folder}/scope-fold.ts`,
    find: '      if (known && !isOlder(known.sealed, sealed)) continue;\n',
    replace: '',
    why: 'rule 1: a repair takes what lies last in the log for the newest',
    tests: [repairs],
  },
  {
    name: 'repair-applies-what-is-parked',
    file: `${folder}/scope-fold.ts`,
    find: 'if (parked.has(`${record.topic}/${record.partition}/${record.offset}`)) return null;',
    replace: '',
    why: 'rule 6: a repair brings in what waits behind a parked record',
    tests: [repairs],
  },
  {
    name: 'repair-counts-nothing',
    file: `${folder}/scope-rows.ts`,
    find: '  await recount(client, installed, scope, [...before], changes);\n',
    replace: '',
    why: 'rule 4: rows are right again and their counts are not',
    tests: [repairs],
  },
];
