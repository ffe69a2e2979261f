import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import type { IModule } from 'dependency-cruiser';
import type { Check, CheckResult } from './check.ts';
import { cruiseModules } from './imports.ts';

const pureFile =
  /\.(decide|model|present)\.ts$|^schemas\/(?!generated\/|migrations\/|released\/)[^/]+\/.*\.ts$|^media-pipeline\/plan\//;
/** Packages that only compute (of uuid the names by hash). Whatever else a pure file reaches is IO until shown otherwise. */
const purePackages = /(^|node_modules\/)(zod|uuid)(\/|$)/;
const purePlatform = /^platform\/(errors\/|log\/(position|partitioner)\.ts$)/;
const impureWords: [RegExp, string][] = [
  [/\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bprocess\.hrtime\b/, 'reads the clock'],
  [/\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bgetRandomValues\b/, 'draws randomness'],
  [/\bv[1467]\b.*'uuid'/, 'draws randomness'],
  [/\bconsole\.|\bcreateLogger\b/, 'logs'],
  [/\bprocess\.env\b/, 'reads the environment'],
  [/\bfetch\(|\bset(Timeout|Interval|Immediate)\(/, 'touches the outside world'],
];

type Graph = Map<string, IModule>;

async function run(root: string): Promise<CheckResult> {
  const { modules } = await cruiseModules(root);
  const graph: Graph = new Map(modules.map((module) => [module.source, module]));
  const pure = modules.map((module) => module.source).filter((source) => pureFile.test(source));
  return {
    findings: pure.flatMap((file) => [...impureReach(graph, file), ...impureText(root, file)]),
    looked: pure.length,
    of: 'pure modules',
  };
}

/** Follows what runs (type imports vanish before that) and names the first way to each impure end. */
function impureReach(graph: Graph, start: string): string[] {
  const findings: string[] = [];
  const seen = new Set([start]);
  const queue: string[][] = [[start]];
  for (let way = queue.shift(); way; way = queue.shift()) {
    for (const dependency of graph.get(way.at(-1)!)?.dependencies ?? []) {
      const next = dependency.resolved;
      if (dependency.dependencyTypes.includes('type-only') || seen.has(next)) continue;
      seen.add(next);
      if (isImpure(next))
        findings.push(
          `${start} must be pure but reaches ${nameOf(next)}: ${[...way, nameOf(next)].join(' → ')}.`,
        );
      else if (!next.includes('node_modules')) queue.push([...way, next]);
    }
  }
  return findings;
}

function isImpure(target: string): boolean {
  if (target.startsWith('node:') || builtinModules.includes(target)) return true;
  if (target.startsWith('platform/')) return !purePlatform.test(target);
  if (target.includes('node_modules/') || !target.includes('/')) return !purePackages.test(target);
  return false;
}

function nameOf(target: string): string {
  return target
    .replace(/^.*node_modules\//, '')
    .replace(/^((@[^/]+\/)?[^/]+)\/.*\.(js|mjs|cjs|ts|mts|cts)$/, (all, name) =>
      target.includes('node_modules/') ? name : all,
    );
}

function impureText(root: string, file: string): string[] {
  const target = path.join(root, file);
  if (!existsSync(target)) return [];
  const lines = readFileSync(target, 'utf8').split('\n').map(withoutComment);
  return lines.flatMap((line, index) =>
    impureWords
      .filter(([pattern]) => pattern.test(line))
      .map(
        ([pattern, does]) =>
          `${file}:${index + 1} must be pure but ${does} (${pattern.exec(line)![0].trim()}).`,
      ),
  );
}

function withoutComment(line: string): string {
  return line.replace(/^\s*(\/\/|\/?\*).*$/, '').replace(/\s\/\/ .*$/, '');
}

export const purity: Check = {
  name: 'purity',
  about: 'deciders, models, presenters, visibility and plans are pure',
  run,
};
