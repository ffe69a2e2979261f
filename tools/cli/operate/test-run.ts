import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failure } from '../../../deploy/native/failure.ts';
import { type Environment, isFree, resolvePorts } from '../../../deploy/native/ports.ts';

export type TestCounts = { passed: number; failed: number };

/** The keys that would lead a test to the stack a person works with. */
const addressKeys = /^EMULSION_(\w+_)?PORT$/;

/** The environment of a stack of the tests' own: a home and ports of its own, no address inherited. */
export function testEnvironment(home: string, port: number): Environment {
  const env: Environment = { ...process.env };
  for (const key of Object.keys(env)) if (addressKeys.test(key)) delete env[key];
  for (const key of inheritedAddresses) delete env[key];
  return { ...env, EMULSION_HOME: process.env.EMULSION_TEST_HOME || home, EMULSION_PORT: String(port) };
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
];

/** EMULSION_TEST_PORT, or the first from 8090 up whose whole block of ports is free. */
export async function freeFrontPort(): Promise<number> {
  const given = process.env.EMULSION_TEST_PORT;
  if (given) return resolvePorts({ EMULSION_PORT: given }).EMULSION_PORT!;
  for (let port = 8090; port < 8290; port++) {
    const block = Object.values(resolvePorts({ EMULSION_PORT: String(port) }));
    const free = await Promise.all(block.map(isFree));
    if (free.every(Boolean)) return port;
  }
  throw failure('No free block of ports was found from 8090 to 8289.', 'Set EMULSION_TEST_PORT to one.');
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
