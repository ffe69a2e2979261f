import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failure } from '../../deploy/native/failure.ts';
import { makeCast } from './cast.ts';
import { type Caller, type FuzzSettings, settingsFile } from './settings.ts';

export interface FuzzOptions extends FuzzSettings {
  /** The public API; on this machine only. */
  url: string;
  /** A Python that has schemathesis. */
  python: string;
  phases: readonly Phase[];
  signal?: AbortSignal;
}

export type Phase = 'examples' | 'coverage' | 'fuzzing' | 'stateful';

export interface FuzzReport {
  caller: Caller;
  /** Endpoints of the document, and how many of them were asked. */
  endpoints: number;
  asked: number;
  requests: number;
  /** Answers that the document has not, one line a kind; the requests behind them are in `text`. */
  faults: string[];
  /** Whether it came to its end. */
  complete: boolean;
  /** All that schemathesis has to say. */
  text: string;
}

const callers: readonly Caller[] = ['somebody', 'nobody'];
const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Asks a running system whatever its own OpenAPI document allows and does not allow, as somebody and as nobody. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport[]> {
  if (!loopback.has(new URL(options.url).hostname))
    throw failure(
      `${options.url} is not on this machine.`,
      'It writes whatever comes to it: give --url a copy here.',
    );
  const cast = await makeCast(options.url);
  const reports: FuzzReport[] = [];
  for (const caller of callers)
    reports.push(await asCaller(caller, settingsFile(cast, caller, options), options));
  return reports;
}

async function asCaller(caller: Caller, settings: string, options: FuzzOptions): Promise<FuzzReport> {
  const folder = mkdtempSync(join(tmpdir(), 'emulsion-fuzz-'));
  try {
    writeFileSync(join(folder, 'schemathesis.toml'), settings, { mode: 0o600 });
    // As a file: of a document that it reads from its address, schemathesis leaves that address out.
    writeFileSync(join(folder, 'openapi.json'), await servedDocument(options.url));
    const text = await runSchemathesis(folder, options);
    return reportOf(caller, text, readReport(join(folder, 'report.json'), text));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function servedDocument(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/openapi.json`);
  if (answer.ok) return answer.text();
  throw failure(`${url} has no document: it answered ${answer.status}.`, 'See npx emulsion status.');
}

/** Its standard output; how it ended is in the report. */
function runSchemathesis(folder: string, { url, python, phases, signal }: FuzzOptions): Promise<string> {
  const start = 'from schemathesis.cli import schemathesis; schemathesis()';
  const report = ['--report', 'json', '--report-json-path', join(folder, 'report.json')];
  const args = [
    'run',
    join(folder, 'openapi.json'),
    '--url',
    url,
    '--no-color',
    '--phases',
    phases.join(','),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(python, ['-c', start, ...args, ...report], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        NO_PROXY: '*',
        PYTHONDONTWRITEBYTECODE: '1',
        LC_ALL: 'C.UTF-8',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (text += chunk));
    child.once('error', reject);
    child.once('close', () => resolve(text));
  });
}

/** The part of schemathesis' report that is read here. */
interface Report {
  complete: boolean;
  operations: { total: number; tested: number };
  test_cases: { generated: number };
  failures: { code: string; title: string; operations: string[] }[];
  errors: unknown[];
}

function readReport(file: string, text: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw failure(`schemathesis has left no report:\n${text.slice(-2_000)}`, 'See what it says.', error);
  }
}

function reportOf(caller: Caller, text: string, report: Report): FuzzReport {
  const { complete, operations, failures, errors, test_cases: cases } = report;
  return {
    caller,
    endpoints: operations.total,
    asked: operations.tested,
    requests: cases.generated,
    faults: [
      ...failures.map(({ code, title, operations: where }) => `${code} ${title}: ${where.join(', ')}`),
      ...errors.map((error) => JSON.stringify(error)),
    ],
    complete,
    text,
  };
}
