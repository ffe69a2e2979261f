import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A bug that makes tests hang is noticed too, in the end. */
const limitMs = 600_000;

export interface Failure {
  file: string;
  /** The test that failed first and what it said, or why none could run. */
  what: string;
}

export interface TestRun {
  /** The copy of the sources whose tests these are. */
  root: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/** Runs these test files up to the first failure; null when all passed. */
export async function firstFailure(run: TestRun, files: readonly string[]): Promise<Failure | null> {
  const folder = mkdtempSync(path.join(tmpdir(), 'emulsion-mutant-'));
  const report = path.join(folder, 'report.json');
  try {
    const status = await runVitest(run, ['--bail=1', '--reporter=json', `--outputFile=${report}`, ...files]);
    if (status === 'late') return { file: files.join(', '), what: `not over after ${limitMs / 1_000} s` };
    return status === 0 ? null : failureIn(run.root, report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The tests and the services that they start are one group of processes, of which nothing is left over. */
function runVitest({ root, env, signal }: TestRun, args: string[]): Promise<number | 'late'> {
  return new Promise((resolve, reject) => {
    const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
    const child = spawn(process.execPath, [vitest, 'run', ...args], {
      cwd: root,
      env: { ...env, NODE_ENV: 'test' },
      stdio: 'ignore',
      detached: true,
    });
    let late = false;
    const end = (): void => endGroup(child.pid!);
    const timer = setTimeout(() => {
      late = true;
      end();
    }, limitMs);
    signal.addEventListener('abort', end, { once: true });
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      end();
      if (signal.aborted) reject(signal.reason);
      else resolve(late ? 'late' : (code ?? 1));
    });
  });
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of it is left.
  }
}

interface Report {
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
}

function failureIn(root: string, file: string): Failure {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return { file: 'vitest', what: 'ended without a report' };
  }
  const results = report.testResults.toSorted((a, b) => Number(isCut(a)) - Number(isCut(b)));
  const failed = results.find(({ status }) => status === 'failed');
  if (!failed) return { file: 'vitest', what: 'failed outside of the tests' };
  const test = failed.assertionResults.find(({ status }) => status === 'failed');
  return {
    file: path.relative(root, failed.name),
    what: test
      ? `${test.fullName}: ${firstLine(test.failureMessages[0] ?? '')}`
      : `could not begin: ${firstLine(failed.message)}`,
  };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}

/** No test of its own failed: it could not begin, or others had failed before. */
function isCut({ assertionResults }: Report['testResults'][number]): boolean {
  return !assertionResults.some(({ status }) => status === 'failed');
}
