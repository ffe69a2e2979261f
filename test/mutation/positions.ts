import type { Mutant } from './mutant.ts';

const file = 'platform/postgres/positions.ts';
const fence = 'test/projection/fence.test.ts';

/** Where a consumer stands, and who may say so (DESIGN §2 rule 3). */
export const positionMutants: readonly Mutant[] = [
  {
    name: 'save-without-generation',
    file,
    find: `     WHERE p.consumer = $1 AND p.topic = n.topic AND p.partition = n.partition
       AND p.generation = n.generation AND p.position = n.expected\``,
    replace: `     WHERE p.consumer = $1 AND p.topic = n.topic AND p.partition = n.partition
       AND p.position = n.expected\``,
    why: 'rule 3: a stale process whose partition was claimed by another still writes',
    tests: [fence],
  },
  {
    name: 'save-without-expected-position',
    file,
    find: `       AND p.generation = n.generation AND p.position = n.expected\``,
    replace: `       AND p.generation = n.generation\``,
    why: 'rule 3: a round that was applied already is applied and saved again, or leaps over records',
    tests: ['test/projection/parking.test.ts'],
  },
  {
    name: 'save-what-is-left',
    file,
    find: `      steps.map((s) => s.eventTime),
    ],
  );
  if (rowCount !== steps.length)`,
    replace: `      steps.map((s) => s.eventTime),
    ],
  );
  if (rowCount === 0)`,
    why: 'rule 3: rows of a partition that is lost are kept when another partition of the round is still held',
    tests: [fence],
  },
  {
    name: 'hold-without-generation',
    file,
    find: 'AND p.generation = n.generation AND p.position = n.expected\n     WHERE p.consumer = $1 FOR UPDATE OF p',
    replace: 'AND p.position = n.expected\n     WHERE p.consumer = $1 FOR UPDATE OF p',
    why: 'rule 3: rows of timelines are written by a stale process',
    tests: ['test/projection/timelines.test.ts'],
  },
  {
    name: 'hold-without-lock',
    file,
    find: 'WHERE p.consumer = $1 FOR UPDATE OF p`',
    replace: 'WHERE p.consumer = $1`',
    why: 'rule 3: another process claims the partition between the look and the commit, and both write',
    tests: [fence],
  },
  {
    name: 'claim-keeps-generation',
    file,
    find: 'DO UPDATE SET generation = p.generation + 1, released = false',
    replace: 'DO UPDATE SET generation = p.generation, released = false',
    why: 'rule 3: whoever held the partition before is not fenced by the claim',
    tests: ['test/projection/timelines.test.ts'],
  },
  {
    name: 'claim-starts-again',
    file,
    find: 'DO UPDATE SET generation = p.generation + 1, released = false',
    replace: 'DO UPDATE SET generation = p.generation + 1, position = excluded.position, released = false',
    why: 'rule 5: a consumer goes on from its first position, or from the end, instead of where it stood',
    tests: [fence],
  },
  {
    name: 'claim-forgets-a-death',
    file,
    find: 'DO UPDATE SET generation = p.generation + 1, released = false',
    replace: 'DO UPDATE SET generation = p.generation + 1',
    why: 'rule 6: a record that kills its process is never suspected, so it kills for ever',
    tests: [fence],
  },
];
