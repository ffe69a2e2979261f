import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importRules } from '../../tools/checks/import-rules.ts';
import { imports } from '../../tools/checks/imports.ts';
import { plantedCopy } from './planted.ts';

/** For each rule the files of one violation, and the file that the finding must name. */
const planted: Record<string, { at: string; files: Record<string, string> }> = {
  'schemas-import-nothing': one('schemas/content/planted-a.ts', "import '../../platform/planted-free.ts';"),
  'platform-imports-no-room': one('platform/planted-b.ts', "import '../schemas/topics.ts';"),
  'rooms-stay-apart': one('query-api/planted-c.ts', "import '../command-api/planted-free.ts';"),
  'rooms-import-no-deploy': one('query-api/planted-d.ts', "import '../deploy/parts.ts';"),
  'nothing-imports-tools-or-test': one('projectors/planted-e.ts', "import '../tools/checks/check.ts';"),
  'verify-imports-no-model': {
    at: 'tools/verify/planted-f.ts',
    files: {
      'tools/verify/planted-f.ts': "import '../load/planted-between.ts';",
      'tools/load/planted-between.ts': "import '../../projectors/content/planted.model.ts';",
      'projectors/content/planted.model.ts': 'export const model = 1;',
    },
  },
  'nothing-imports-a-main': {
    at: 'command-api/planted-g.ts',
    files: {
      'command-api/planted-g.ts': "import './main-planted.ts';",
      'command-api/main-planted.ts': 'export const started = true;',
    },
  },
  'config-stays-in-main': one(
    'media-pipeline/planted-h.ts',
    "import { readConfig } from '../platform/process/config.ts';\nreadConfig();",
  ),
  'no-cycles': {
    at: 'platform/planted-i.ts',
    files: {
      'platform/planted-i.ts': "import './planted-j.ts';",
      'platform/planted-j.ts': "import './planted-i.ts';",
    },
  },
  'no-unresolved': one('platform/planted-k.ts', "import './nowhere.ts';"),
  'no-undeclared-package': one('platform/planted-l.ts', "import 'cheminfo-types';\nimport 'rolldown';"),
  'no-dev-package-in-services': one('command-api/planted-m.ts', "import 'fast-check';"),
  'driver-kafka': one('projectors/planted-kafka.ts', "import 'kafkajs';"),
  'driver-postgres': one('query-api/planted-postgres.ts', "import 'pg';"),
  'driver-redis': one('query-api/planted-redis.ts', "import 'ioredis';"),
  'driver-s3': one('media-pipeline/planted-s3.ts', "import '@aws-sdk/client-s3';"),
  'driver-images': one('media-pipeline/planted-images.ts', "import 'sharp';"),
  'driver-video': one('media-pipeline/planted-video.ts', "import 'fluent-ffmpeg';"),
  'driver-sockets': one('query-api/planted-sockets.ts', "import 'uWebSockets.js';"),
};

function one(at: string, text: string): { at: string; files: Record<string, string> } {
  return { at, files: { [at]: text } };
}

describe('import rules', () => {
  let findings: string[] = [];
  const free = { 'platform/planted-free.ts': 'export {};', 'command-api/planted-free.ts': 'export {};' };
  const copy = plantedCopy(
    Object.assign(free, ...Object.values(planted).map((violation) => violation.files)),
  );

  beforeAll(async () => {
    findings = (await imports.run(copy.root)).findings;
  }, 60_000);
  afterAll(() => copy.remove());

  it('has a planted violation for every rule', () => {
    expect(Object.keys(planted).sort()).toEqual(importRules.map((rule) => rule.name).sort());
  });

  it.each(Object.entries(planted))('%s finds what was planted', (rule, { at }) => {
    expect(
      findings.filter((finding) => finding.startsWith(`${at} `) && finding.includes(`(${rule})`)),
    ).toHaveLength(1);
  });

  it('finds nothing in a file that breaks no rule', () => {
    expect(findings.filter((finding) => finding.includes('planted-free.ts imports'))).toEqual([]);
  });

  it('fails when there is nothing to look at', async () => {
    const empty = mkdtempSync(path.join(tmpdir(), 'emulsion-empty-'));
    await expect(imports.run(empty)).rejects.toThrow(/no TypeScript file/);
  });
});
