import path from 'node:path';
import { styleText } from 'node:util';
import type { Check } from './check.ts';
import { drift } from './drift.ts';
import { imports } from './imports.ts';
import { keys } from './keys.ts';
import { modelTests } from './model-tests.ts';
import { personal } from './personal.ts';
import { purity } from './purity.ts';
import { released } from './released.ts';
import { routes } from './routes.ts';

const checks: Check[] = [imports, purity, personal, released, keys, modelTests, routes, drift];

/** Runs one check and prints one sentence per finding; a check that saw nothing has failed too. */
async function runCheck(check: Check, root: string): Promise<boolean> {
  const { findings, looked, of } = await check.run(root);
  const all =
    looked > 0 ? findings : [...findings, `${check.name} looked at no ${of}, so it proves nothing.`];
  const mark = all.length === 0 ? styleText('green', 'passed') : styleText('red', 'failed');
  console.log(`${mark} ${check.name}: ${check.about} (${looked} ${of})`);
  for (const finding of all) console.log(`  ${finding}`);
  return all.length === 0;
}

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const unknown = wanted.filter((name) => !checks.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(
    `There is no check named ${unknown.join(', ')}; there are ${checks.map((c) => c.name).join(', ')}.`,
  );
  process.exit(2);
}
const root = path.resolve(import.meta.dirname, '../..');
const chosen = checks.filter((check) => wanted.length === 0 || wanted.includes(check.name));
let failed = 0;
for (const check of chosen) if (!(await runCheck(check, root))) failed += 1;
console.log(`${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
