import type { Mutant } from './mutant.ts';

const file = 'platform/log/careful.ts';
const tests = ['test/log/careful.test.ts'];

/** Records that kill their process (DESIGN §6): found by bisection, and parked. */
export const carefulMutants: readonly Mutant[] = [
  {
    name: 'suspects-never-narrowed',
    file,
    find: 'if (suspect.records > 1) return { step: Math.ceil(suspect.records / cut), until',
    replace: 'if (suspect.records > 1) return { step: suspect.records, until',
    why: '§6: the record that kills is never alone, and kills for ever',
    tests,
  },
  {
    name: 'killer-never-parked',
    file,
    find: 'return deaths >= fatalDeaths;',
    replace: 'return deaths > fatalDeaths * 100;',
    why: '§6: the record that kills is found, and kills for ever',
    tests,
  },
  {
    name: 'parked-on-suspicion',
    file,
    find: 'const fatalDeaths = 2;',
    replace: 'const fatalDeaths = 0;',
    why: 'rule 6: a record that has harmed nobody is parked because a process died near it',
    tests,
  },
  {
    name: 'death-leaves-no-trace',
    file,
    find: 'await accuse(pool, consumer, { ...place, first, end, records: records.length, deaths: deaths + 1 });',
    replace: '[first, end] satisfies bigint[];',
    why: '§6: whoever comes after a death does not know what it was of',
    tests,
  },
  {
    name: 'old-suspicion-believed',
    file,
    find: 'if (!suspect || suspect.deaths === 0 || suspect.first !== position)',
    replace: 'if (!suspect || suspect.deaths === 0)',
    why: 'rule 6: a record is held to account for the deaths that an earlier one has caused',
    tests,
  },
  {
    name: 'killer-passed-and-not-parked',
    file,
    find: '    await parkRecords(client, consumer, [parkedAs(record, { code: killsProcess, detail: killed(deaths) })]);\n',
    replace: '',
    why: 'rule 6: the record that kills is lost without a word',
    tests,
  },
  {
    name: 'suspects-decoded-ahead',
    file: 'platform/log/membership.ts',
    find: 'if (!position.careful) options.arrived?.(records);',
    replace: 'options.arrived?.(records);',
    why: '§6: a record that kills as it is decoded does so before it is alone, and nobody learns which it was',
    tests: ['test/log/membership.test.ts'],
  },
];
