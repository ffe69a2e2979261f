import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { failure } from '../../deploy/native/failure.ts';
import { tryLock } from '../../deploy/native/lock.ts';
import { resolvePaths } from '../../deploy/native/paths.ts';
import { type Environment, isFree, resolvePorts } from '../../deploy/native/ports.ts';
import { running } from '../../deploy/native/process.ts';
import { silent } from '../../deploy/native/progress.ts';
import { reset } from '../../deploy/native/take-down.ts';
import { parts } from '../../deploy/parts.ts';

export type TestCounts = { passed: number; failed: number };

/** The keys that would lead a test to the stack a person works with. */
const addressKeys = /^EMULSION_(\w+_)?PORT$/;

/** The environment of a stack of the tests' own: a home and ports of its own, no address inherited. */
function testEnvironment(home: string, port: number): Environment {
  const env: Environment = { ...process.env };
  for (const key of Object.keys(env)) if (addressKeys.test(key)) delete env[key];
  for (const key of inheritedAddresses) delete env[key];
  return { ...env, EMULSION_HOME: home, EMULSION_PORT: String(port) };
}

const inheritedAddresses = [
  'KAFKA_BROKERS',
  'SCHEMA_REGISTRY_URL',
  'DATABASE_URL',
  'COMMAND_DATABASE_URL',
  'QUERY_DATABASE_URL',
  'PROJECTOR_DATABASE_URL',
  'MEDIA_DATABASE_URL',
  'REDIS_URL',
  'S3_ENDPOINT',
  'S3_PUBLIC_ENDPOINT',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
  'PUBLIC_URL',
  'EMULSION_MASTER_KEY_FILE',
  'EMULSION_POSTGRES_DATA',
];

export type TestPlace = { env: Environment; release: () => void };

/**
 * A place of its own for one test run: home and block of ports, held by a lock until released, so that several runs go
 * side by side. What a killed run left there, processes included, is cleared. EMULSION_TEST_PORT (`given`) fixes the
 * place.
 */
export async function claimPlace(repo: string, given = process.env.EMULSION_TEST_PORT): Promise<TestPlace> {
  const first = given ? resolvePorts({ EMULSION_PORT: given }).EMULSION_PORT! : 8090;
  for (let port = first; port < first + (given ? 1 : 200); port++) {
    const home = join(testHomes(repo), String(port));
    const release = await tryLock(`${home}.lock`);
    if (!release) continue;
    const env = testEnvironment(home, port);
    await reset({ env, progress: silent });
    const free = await Promise.all(Object.values(resolvePorts(env)).map(isFree));
    if (free.every(Boolean)) return { env, release };
    release();
  }
  throw given
    ? failure(`Port ${given} or its block is in use.`, 'Set EMULSION_TEST_PORT to another, or leave it out.')
    : failure('No free block of ports was found from 8090 to 8289.', 'Set EMULSION_TEST_PORT to one.');
}

/** Ends the stacks that tests have made for themselves and were killed before they could end. */
export async function endAbandoned(repo: string): Promise<void> {
  const homes = testHomes(repo);
  for (const name of readdirSync(homes).filter((entry) => /^\d+$/.test(entry))) {
    const env = testEnvironment(join(homes, name), Number(name));
    const paths = resolvePaths(env);
    if (!parts.some((part) => running(paths, part.name))) continue;
    const release = await lockWhenLeft(`${join(homes, name)}.lock`);
    if (!release) continue;
    await reset({ env, progress: silent });
    release();
  }
}

/** Whoever is killed holds its lock for a moment; undefined of one that somebody works with. */
async function lockWhenLeft(file: string): Promise<(() => void) | undefined> {
  for (let tries = 0; tries < 10; tries++) {
    const release = await tryLock(file);
    if (release) return release;
    await sleep(100);
  }
  return undefined;
}

function testHomes(repo: string): string {
  return process.env.EMULSION_TEST_HOME || join(repo, '.emulsion-test');
}

/** Runs vitest to its end and counts from its own report; an interrupt ends it and rejects. */
export async function runVitest(
  repo: string,
  args: string[],
  env: Environment,
  signal: AbortSignal,
): Promise<TestCounts> {
  const folder = mkdtempSync(join(tmpdir(), 'emulsion-test-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  try {
    const vitest = join(repo, 'node_modules/vitest/vitest.mjs');
    const status = await run(process.execPath, [vitest, 'run', ...reporters, ...args], repo, env, signal);
    return countReport(report, status);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(
  file: string,
  args: string[],
  cwd: string,
  env: Environment,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      env: { ...env, NODE_ENV: 'test' },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
    child.once('error', reject);
    child.once('exit', (code) => (signal.aborted ? reject(signal.reason) : resolve(code ?? 1)));
  });
}

type Report = {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { status: string; assertionResults: { status: string }[] }[];
};

/** A file that could not be loaded has no tests to fail, and an error outside of tests none either: each counts. */
export function countReport(file: string, status: number): TestCounts {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return { passed: 0, failed: 1 };
  }
  const broken = report.testResults.filter(
    (result) =>
      result.status === 'failed' && !result.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + broken;
  return { passed: report.numPassedTests, failed: failed === 0 && status !== 0 ? 1 : failed };
}
