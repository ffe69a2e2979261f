import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { purity } from '../../tools/checks/purity.ts';
import { plantedCopy } from './planted.ts';

const planted: Record<string, [file: string, text: string, finding: RegExp]> = {
  'a model that logs': [
    'projectors/content/planted-a.model.ts',
    "console.log('x');",
    /:1 must be pure but logs/,
  ],
  'a decider that reads the clock': [
    'command-api/content/planted-b.decide.ts',
    'export const now = Date.now();',
    /reads the clock/,
  ],
  'a presenter that makes a date': [
    'query-api/content/planted-c.present.ts',
    'export const now = new Date();',
    /reads the clock/,
  ],
  'a decider that draws randomness': [
    'command-api/content/planted-d.decide.ts',
    'export const n = Math.random();',
    /draws randomness/,
  ],
  'a visibility rule that uses a node builtin': [
    'schemas/visibility/planted-e.ts',
    "import 'node:fs';",
    /reaches (node:)?fs/,
  ],
  'a plan that reaches a package': ['media-pipeline/plan/planted-f.ts', "import 'sharp';", /reaches sharp/],
  'a model that reaches a driver through a helper': [
    'projectors/content/planted-g.model.ts',
    "import './planted-helper.ts';",
    /reaches kafkajs: .*planted-g.model.ts → .*planted-helper.ts → kafkajs/,
  ],
  'a decider that mints an id': [
    'command-api/content/planted-i.decide.ts',
    "import { v7 } from 'uuid';\nexport const id = v7;",
    /:1 must be pure but draws randomness/,
  ],
  'a model that reaches the platform': [
    'projectors/content/planted-h.model.ts',
    "import '../../platform/redis/redis.ts';",
    /reaches platform/,
  ],
};
const helpers = {
  'projectors/content/planted-helper.ts': "import 'kafkajs';",
  'projectors/content/planted-free.model.ts':
    "// Date.now() is said, not called\nimport type { Kafka } from 'kafkajs';\nexport const at = (time: number) => new Date(time);\nexport type K = Kafka;",
};

describe('purity', () => {
  let findings: string[] = [];
  const copy = plantedCopy({
    ...helpers,
    ...Object.fromEntries(Object.values(planted).map(([file, text]) => [file, text])),
  });

  beforeAll(async () => {
    findings = (await purity.run(copy.root)).findings;
  }, 60_000);
  afterAll(() => copy.remove());

  it.each(Object.entries(planted))('finds %s', (_what, [file, _text, expected]) => {
    const about = findings.filter((finding) => finding.startsWith(file));
    expect(
      about.some((finding) => expected.test(finding)),
      about.join('\n'),
    ).toBe(true);
  });

  it('lets a comment, a type import and a date from an argument pass', () => {
    expect(findings.filter((finding) => finding.includes('planted-free'))).toEqual([]);
  });
});
