// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is planted is code

import type { Mutant } from './mutant.ts';

const [apply, parking, intake] = [
  'projectors/engine/apply.ts',
  'projectors/engine/parking.ts',
  'platform/log/intake.ts',
];
const uploads = 'media-pipeline/run/consume.ts';
const uploadsTest = 'test/media/pipeline.test.ts';
const eraser = 'media-pipeline/run/eraser.ts';
const eraserTest = 'test/media/eraser.test.ts';
const parkingTest = 'test/projection/parking.test.ts';
const intakeTest = 'test/log/intake.test.ts';

/** What fails for good, and what only fails for now (DESIGN §2 rule 6, §6). */
export const parkingMutants: readonly Mutant[] = [
  {
    name: 'parked-key-goes-on',
    file: apply,
    find: 'const isParked = await parkedKeys(client, installed.consumer, batches);',
    replace: 'await parkedKeys(client, installed.consumer, batches);\n    const isParked = () => false;',
    why: 'rule 6: later events of a parked key are applied, and overtake it',
    tests: [parkingTest],
  },
  {
    name: 'parked-key-goes-on-in-its-round',
    file: apply,
    find: 'failed.some((f) => f.topic === record.topic && f.key === record.key && f.offset < record.offset)',
    replace: '(failed.length > 0 && false)',
    why: 'rule 6: events behind the record that is parked in this very round are applied',
    tests: [parkingTest],
  },
  {
    name: 'parked-before-it-failed',
    file: apply,
    find: 'f.key === record.key && f.offset < record.offset)',
    replace: 'f.key === record.key && f.offset !== record.offset)',
    why: 'rule 6: what came before the record that fails is held back too',
    tests: [parkingTest],
  },
  {
    name: 'halving-skips-a-record',
    file: parking,
    find: 'const [before, after] = [batch.records.slice(0, here), batch.records.slice(here)];',
    replace: 'const [before, after] = [batch.records.slice(0, here), batch.records.slice(here + 1)];',
    why: 'rule 6: a good record beside the one that fails is lost',
    tests: [parkingTest],
  },
  {
    name: 'outage-parks',
    file: parking,
    find: 'return /^2[23]/.test',
    replace: 'return /^[24]/.test',
    why: 'rule 6: what would pass parks keys that an operator must bring back',
    tests: [parkingTest],
  },
  {
    name: 'outage-ends-the-consumer',
    file: intake,
    find: 'if (error instanceof Fenced || options.fatal?.(error)) throw error;',
    replace: 'throw error;',
    why: 'rule 6: an outage is retried for as long as it lasts',
    tests: [intakeTest],
  },
  {
    name: 'fenced-is-tried-again',
    file: intake,
    find: 'if (error instanceof Fenced || options.fatal?.(error)) throw error;',
    replace: 'if (options.fatal?.(error)) throw error;',
    why: 'rule 3: a process that lost its partition tries its old round for ever',
    tests: [intakeTest],
  },
  {
    name: 'rest-of-a-large-fetch-dropped',
    file: intake,
    find: 'if (item.done < item.records.length) continue;',
    replace: '',
    why: 'rule 1: what did not fit into one round is given up as applied',
    tests: [intakeTest],
  },
  {
    name: 'round-without-bound',
    file: intake,
    find: 'const records = item.records.slice(item.taken, item.taken + room);',
    replace: 'const records = item.records.slice(item.taken);',
    why: 'rule 8: a round has as many records as were fetched',
    tests: [intakeTest],
  },
  {
    name: 'two-batches-of-a-partition-at-once',
    file: intake,
    find: 'if (isLone(item) || partitions.has(item.position)) continue;',
    replace: 'if (isLone(item)) continue;',
    why: 'rule 3: the second batch of a round begins where the first one does, and the round is fenced for ever',
    tests: [intakeTest],
  },
  {
    name: 'next-round-applied-with-this-one',
    file: intake,
    find: 'item.done += batch.records.length;',
    replace: 'item.done = item.taken;',
    why: 'rule 1: what waits in the next round is called applied with this one',
    tests: [intakeTest],
  },
  {
    name: 'next-round-from-where-this-one-began',
    file: intake,
    find: 'takeFrom(item, room, left.get(item.position))',
    replace: 'takeFrom(item, room)',
    why: 'rule 3: a round that was taken early is fenced for ever',
    tests: [intakeTest],
  },
  {
    name: 'next-round-kept-after-a-failure',
    file: intake,
    find: '      current = [];\n      next = null;\n',
    replace: '      current = [];\n',
    why: 'rule 3: after a lost partition its old records are applied with the first round of the next claim',
    tests: [intakeTest],
  },
  {
    name: 'reading-without-bound',
    file: intake,
    find: '    if (untaken(waiting) > maxRecords) return;\n',
    replace: '',
    why: 'rule 8: while Postgres is slow or away, all of the log is read into memory',
    tests: [intakeTest],
  },
  {
    name: 'letters-left-after-they-came-through',
    file: 'platform/postgres/parked.ts',
    find: `AND "offset" = ANY($4::bigint[])',`,
    replace: `AND "offset" = ANY($4::bigint[]) AND false',`,
    why: 'rule 6: a healed record stays parked, and is applied again for ever',
    tests: [parkingTest, 'test/dead-letters/order.test.ts'],
  },
  {
    name: 'letters-overtaken',
    file: parking,
    find: 'AND p."offset" <> ALL($5::bigint[]) GROUP BY',
    replace:
      'AND p.key <> ALL(ARRAY(SELECT q.key FROM engine.parked q WHERE q."offset" = ANY($5::bigint[]))) GROUP BY',
    why: 'rule 6: what is parked of a key is applied while something before it is still parked',
    tests: [parkingTest, 'test/dead-letters/order.test.ts'],
  },
  {
    name: 'refused-object-keeps-all',
    file: eraser,
    find: 'if (!isRefused(error)) throw error;',
    replace: 'throw error;',
    why: 'rule 2: one object that may not be removed keeps those of everybody who is erased later',
    tests: [eraserTest],
  },
  {
    name: 'refused-asked-before-others',
    file: eraser,
    find: '  const most = refused.size + refusedAtOnce;\n',
    replace: '  refused.clear();\n  const most = refusedAtOnce;\n',
    why: 'rule 2: as many as a look goes past keep the objects of everybody who is erased later',
    tests: [eraserTest],
  },
  {
    name: 'outage-gone-past',
    file: eraser,
    find: 'if (!isRefused(error)) throw error;',
    replace: 'void isRefused;',
    why: 'rule 8: a store that is away is asked for every account of each look',
    tests: [eraserTest],
  },
  {
    name: 'lost-header-stops-the-pipeline',
    file: uploads,
    find: 'if (!type) return true;',
    replace: "if (!type) throw new UnknownEventType('without a type');",
    why: 'rule 6: one record without headers ends all processing of media, and can be neither parked nor discarded',
    tests: [uploadsTest],
  },
  {
    name: 'lost-header-taken-for-an-upload',
    file: uploads,
    find: "    if (sealed.type !== 'MediaUploaded') return { eventTime: sealed.meta.time, discard: null };\n",
    replace: '',
    why: 'rule 6: an outcome without headers is taken for an upload, and parked',
    tests: [uploadsTest],
  },
  {
    name: 'unknown-name-passed-over',
    file: uploads,
    find: "if (type in eventCatalog) return type === 'MediaUploaded';",
    replace: "if (type !== '') return type === 'MediaUploaded';",
    why: 'rule 6: what only a newer version knows is passed over without a word',
    tests: [uploadsTest],
  },
];
