import { spawn } from 'node:child_process';
import path from 'node:path';

export interface Pipeline {
  /** What it wrote to stdout and stderr. */
  said(): string;
  /** Asks for one of its own pages, once it listens. */
  ask(page: string): Promise<Response>;
  /** The signal that ended it. */
  ended: Promise<NodeJS.Signals | null>;
  stop(): Promise<void>;
}

const repository = path.resolve(import.meta.dirname, '../..');

/** The pipeline as a process of its own, on a free port. */
export function startPipeline(env: Record<string, string | undefined>): Pipeline {
  const child = spawn(process.execPath, ['media-pipeline/main.ts'], {
    cwd: repository,
    env: { ...process.env, ...env, PORT: '0', LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      said += text;
    });
  }
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.on('exit', (_, signal) => resolve(signal)),
  );
  return {
    said: () => said,
    ask(page) {
      const port = said.match(/"port":(\d+).*"listening"/)?.[1];
      return port
        ? fetch(`http://127.0.0.1:${port}${page}`)
        : Promise.reject(new Error('it does not listen yet'));
    },
    ended,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}
