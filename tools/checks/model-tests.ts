import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Check, CheckResult } from './check.ts';
import { isModel } from './keys.ts';

const kit = 'harness/projection.ts';

/** Every model has its cases where its noun's tests are: projectors/content/like.model.ts, test/content/like.model.test.ts. */
async function run(root: string): Promise<CheckResult> {
  const findings: string[] = [];
  let looked = 0;
  for (const file of globSync('projectors/**/*.model.ts', { cwd: root }).sort()) {
    const module = (await import(pathToFileURL(path.join(root, file)).href)) as Record<string, unknown>;
    for (const name of Object.keys(module).filter((key) => isModel(module[key]))) {
      looked += 1;
      findings.push(...findingsOf(root, file, name));
    }
  }
  return { findings, looked, of: 'models' };
}

function findingsOf(root: string, file: string, name: string): string[] {
  const test = file.replace(/^projectors\//, 'test/').replace(/\.ts$/, '.test.ts');
  if (!existsSync(path.join(root, test)))
    return [`${test} is missing: it would show what ${name} makes of its events.`];
  const text = readFileSync(path.join(root, test), 'utf8');
  const openedBy = new RegExp(`import \\{[^}]*\\bopenProjected\\b[^}]*\\} from '[./]*${kit}'`);
  if (!openedBy.test(text)) return [`${test} does not use openProjected of test/${kit}.`];
  const shown = new RegExp(`\\bprojected\\(\\s*${name}\\b`);
  return shown.test(text)
    ? []
    : [`${test} has no case of ${name}: none says \`await projected(${name}, …)\`.`];
}

export const modelTests: Check = {
  name: 'model-tests',
  about: 'every model has a file of cases that uses the projection kit',
  run,
};
