import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { unpackedProgram } from '../../deploy/native/install/debian.ts';
import { resolvePaths } from '../../deploy/native/paths.ts';
import { partNamed } from '../../deploy/parts.ts';
import { claimPort } from './services.ts';

/** A Redis of the test's own, with the settings of the stack's: what is done to it, no other test notices. */
export interface OwnRedis {
  url: string;
  /** A connection for the test itself. */
  client: Redis;
  /** SIGKILL, and its end. */
  kill(): Promise<void>;
  /** Starts it (again) with the data that it had, and waits until it answers. */
  start(): Promise<void>;
  /** What it had is gone at the next start. Only while it is down. */
  empty(): void;
  /** Takes so many bytes of the newest data away, as a machine does that loses power. Only while it is down. */
  forget(bytes: number): void;
  close(): Promise<void>;
}

export async function startRedis(): Promise<OwnRedis> {
  const program = unpackedProgram(resolvePaths(process.env).cache, 'redis', 'redis-server');
  const folder = mkdtempSync(path.join(tmpdir(), 'emulsion-redis-'));
  const port = await claimPort();
  const settings = { ...partNamed('redis').settings, bind: '127.0.0.1', port, dir: folder };
  const file = path.join(folder, 'redis.conf');
  const lines = Object.entries(settings).map(([key, value]) => `${key} ${value}\n`);
  writeFileSync(file, lines.join(''));
  const client = new Redis(`redis://127.0.0.1:${port}`, {
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
  });
  client.on('error', () => {});
  const data = path.join(folder, 'appendonlydir');
  let child: ChildProcess | null = null;

  const own: OwnRedis = {
    url: `redis://127.0.0.1:${port}`,
    client,
    async kill() {
      if (!child) return;
      const ended = new Promise((resolve) => child!.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      child = null;
    },
    async start() {
      child = spawn(program, [file], { stdio: 'ignore' });
      await client.ping();
    },
    empty: () => rmSync(data, { recursive: true }),
    forget(bytes) {
      const newest = readdirSync(data)
        .filter((name) => name.endsWith('.incr.aof'))
        .sort()
        .at(-1)!;
      const log = path.join(data, newest);
      truncateSync(log, statSync(log).size - bytes);
    },
    async close() {
      client.disconnect();
      await own.kill();
      rmSync(folder, { recursive: true });
    },
  };
  await own.start();
  return own;
}
