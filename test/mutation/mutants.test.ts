import { existsSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import { expect, it } from 'vitest';
import { catalogue } from './catalogue.ts';
import { mutated } from './mutant.ts';

const root = path.resolve(import.meta.dirname, '../..');

it('there are at least forty deliberate bugs, each with a name and a reason of its own', () => {
  expect(catalogue.length).toBeGreaterThanOrEqual(40);
  expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length);
});

it.each(catalogue)('$name still fits $file, and is a program where that is one', (mutant) => {
  const text = mutated(root, mutant);
  if (mutant.file.endsWith('.ts')) expect(() => stripTypeScriptTypes(text)).not.toThrow();
  expect(mutant.tests.length).toBeGreaterThan(0);
  for (const file of mutant.tests) expect(existsSync(path.join(root, file)), file).toBe(true);
});
