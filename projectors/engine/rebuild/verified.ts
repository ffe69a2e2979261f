import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Build } from './builds.ts';

const root = path.resolve(import.meta.dirname, '../../..');
/** Of what verify says, for an operator. */
const detailLength = 400;

/**
 * Has the log folded once more, by a process of its own that shares no code with the models (tools/verify), and every
 * row of the build compared with that. Gives null when all are equal, else what differs, in words. Throws when it
 * could not be found out. `env` is what this process was started with.
 */
export async function findDifferences(
  { model, version }: Build,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string | null> {
  const args = ['tools/cli/main.ts', 'verify', model, '--version', String(version), '--json'];
  const { code, out, err } = await run(args, env, signal);
  if (code === 0) return null;
  const report = parsed(out);
  if (!report) throw new Error(`verify ended with ${code}: ${err.slice(-detailLength)}`);
  const tables = report.tables.filter((table) => table.differences > 0);
  const told = [
    ...report.findings,
    ...tables.map((table) => `${table.table}: ${table.differences} rows differ`),
  ];
  return told.join('; ').slice(0, detailLength);
}

interface Report {
  findings: string[];
  tables: { table: string; differences: number }[];
}

function parsed(out: string): Report | null {
  try {
    const report = JSON.parse(out) as Report;
    return Array.isArray(report.tables) && Array.isArray(report.findings) ? report : null;
  } catch {
    return null;
  }
}

function run(
  args: string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env,
      signal,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}
