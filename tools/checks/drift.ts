import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { Check, CheckResult } from './check.ts';
import { migrationFindings, migrationHashes } from './migrations.ts';

async function run(root: string): Promise<CheckResult> {
  return {
    findings: [...generatedFindings(root), ...migrationFindings(root)],
    looked: migrationHashes(root).size,
    of: 'migrations, and the generated files',
  };
}

/** The generator says by itself which files differ; asked in its own process because it writes by default. */
function generatedFindings(root: string): string[] {
  const generator = path.join(root, 'tools/generate/main.ts');
  const { status, stderr } = spawnSync(process.execPath, [generator, '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status === 0) return [];
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/Warning/.test(line));
  return lines.length > 0 ? lines : ['tools/generate/main.ts --check failed without a word.'];
}

export const drift: Check = {
  name: 'drift',
  about: 'generated files equal their sources; migrations are numbered and fixed',
  run,
};
