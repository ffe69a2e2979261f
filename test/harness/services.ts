import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { nodeFlags } from '../../deploy/parts.ts';

export const serviceNames = [
  'command-api',
  'query-api',
  'stream',
  'stream2',
  'projectors',
  'reactors',
  'media-pipeline',
] as const;
export type ServiceName = (typeof serviceNames)[number];

const root = path.resolve(import.meta.dirname, '../..');

const mains: Record<ServiceName, { file: string; databaseKey: string }> = {
  'command-api': { file: 'command-api/main.ts', databaseKey: 'COMMAND_DATABASE_URL' },
  'query-api': { file: 'query-api/main.ts', databaseKey: 'QUERY_DATABASE_URL' },
  stream: { file: 'query-api/main-stream.ts', databaseKey: 'QUERY_DATABASE_URL' },
  stream2: { file: 'query-api/main-stream.ts', databaseKey: 'QUERY_DATABASE_URL' },
  projectors: { file: 'projectors/main.ts', databaseKey: 'PROJECTOR_DATABASE_URL' },
  reactors: { file: 'projectors/main-reactors.ts', databaseKey: 'PROJECTOR_DATABASE_URL' },
  'media-pipeline': { file: 'media-pipeline/main.ts', databaseKey: 'MEDIA_DATABASE_URL' },
};

/** One real process of a service, with what tests do to it. */
export interface Service {
  name: ServiceName;
  url: string;
  logFile: string;
  /** Starts it (again), with more environment if asked, and waits until /readyz answers. */
  start(extra?: Record<string, string>): Promise<void>;
  /** SIGTERM, and its end. */
  stop(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when the process has ended by itself or by a signal. */
  ended(): Promise<void>;
  logLines(): Record<string, unknown>[];
  /** Everything it has written so far, to stdout and stderr. */
  output(): string;
}

/** Services get the lower half of 30,000 to 32,699, below the ephemeral range, which steals higher ones. */
const ports = { first: 30_000, count: 1_350 };

/**
 * A port that is free, and that no other test file is given as long as this process lives: a service may be down for
 * a while, and another's in its place would answer for it. The claim is a listening socket at the port's double in
 * the upper half, so that it ends with this process however that ends.
 */
export async function claimPort(): Promise<number> {
  for (;;) {
    const port = ports.first + Math.floor(Math.random() * ports.count);
    const claim = await listen(port + ports.count);
    if (!claim) continue;
    claim.unref();
    const trial = await listen(port);
    if (!trial) continue;
    await new Promise((resolve) => trial.close(resolve));
    return port;
  }
}

/** null when somebody else listens there. */
function listen(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

export interface ServiceOptions {
  /** Tells two processes of one service apart in the folder of logs. */
  label?: string;
  /** The sources that it runs; ours unless said. */
  sources?: string;
}

export async function defineService(
  name: ServiceName,
  env: Record<string, string>,
  logs: string,
  { label = name, sources = root }: ServiceOptions = {},
): Promise<Service> {
  const port = await claimPort();
  const url = `http://127.0.0.1:${port}`;
  const logFile = path.join(logs, `${label}.log`);
  let child: ChildProcess | null = null;
  let end: Promise<void> = Promise.resolve();

  const launch = (extra: Record<string, string>): void => {
    mkdirSync(logs, { recursive: true });
    const own = {
      ...process.env,
      ...env,
      ...extra,
      DATABASE_URL: env[mains[name].databaseKey],
      PORT: String(port),
      SERVICE_NAME: name,
    };
    const started = spawn(process.execPath, [...nodeFlags, mains[name].file], {
      cwd: sources,
      env: own,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out = createWriteStream(logFile, { flags: 'a' });
    started.stdout.pipe(out, { end: false });
    started.stderr.pipe(out, { end: false });
    end = new Promise((resolve) => started.once('exit', () => resolve()));
    child = started;
  };
  const tail = (): string => readFileSync(logFile, 'utf8').split('\n').slice(-15).join('\n');

  return {
    name,
    url,
    logFile,
    async start(extra = {}) {
      launch(extra);
      const mine = child!;
      for (let tries = 0; tries < 300; tries += 1) {
        if (mine.exitCode !== null || mine.signalCode !== null)
          throw new Error(`${name} ended at its start:\n${tail()}`);
        const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
        if (answer?.ok) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`${name} is not ready after 30 s:\n${tail()}`);
    },
    async stop() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const hard = setTimeout(() => child?.kill('SIGKILL'), 12_000);
      await end;
      clearTimeout(hard);
    },
    signal(signal) {
      child?.kill(signal);
    },
    ended: () => end,
    output: () => readFileSync(logFile, 'utf8'),
    logLines() {
      const lines = readFileSync(logFile, 'utf8').split('\n');
      return lines
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}
