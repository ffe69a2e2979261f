import { globSync } from 'node:fs';
import path from 'node:path';
import { cruise, type ICruiseResult, type IViolation } from 'dependency-cruiser';
import type { Check, CheckResult } from './check.ts';
import { cruisedFolders, importRules } from './import-rules.ts';

/** Every TypeScript file that the rules are about, relative to the root. */
function sourceFiles(root: string): string[] {
  return globSync(`{${cruisedFolders.join(',')}}/**/*.ts`, { cwd: root }).sort();
}

/** The modules and broken rules as dependency-cruiser sees them; type imports count. */
export async function cruiseModules(root: string): Promise<ICruiseResult> {
  const folders = [...new Set(sourceFiles(root).map((file) => file.split('/')[0]!))];
  if (folders.length === 0) throw new Error(`no TypeScript file below ${root}`);
  const { output } = await cruise(
    folders,
    {
      baseDir: path.resolve(root),
      validate: true,
      ruleSet: { forbidden: importRules },
      tsPreCompilationDeps: true,
      doNotFollow: { path: 'node_modules' },
      exclude: { path: '^schemas/released/' },
    },
    {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs'],
    },
  );
  return output as ICruiseResult;
}

async function run(root: string): Promise<CheckResult> {
  const { modules, summary } = await cruiseModules(root);
  const cruised = new Set(modules.map((module) => module.source));
  const missed = sourceFiles(root).filter((file) => !cruised.has(file));
  return {
    // A cruiser that sees nothing says that all is fine: it does so under TypeScript 7 (PLATFORM.md).
    findings: [
      ...missed.map((file) => `${file} was not cruised, so its imports are unknown.`),
      ...sentences(summary.violations),
    ],
    looked: modules.filter((module) => module.dependencies.length > 0).length,
    of: 'modules with imports',
  };
}

function sentences(violations: IViolation[]): string[] {
  const comments = new Map(importRules.map((rule) => [rule.name, rule.comment]));
  return [
    ...new Set(violations.map((violation) => sentence(violation, comments.get(violation.rule.name) ?? ''))),
  ];
}

function sentence(violation: IViolation, comment: string): string {
  const way = (violation.cycle ?? violation.via ?? []).map((step) => step.name).join(' → ');
  const to = way || violation.to.replace(/^.*node_modules\//, '');
  return `${violation.from} imports ${to}: ${comment} (${violation.rule.name}).`;
}

export const imports: Check = { name: 'imports', about: 'who may import whom', run };
