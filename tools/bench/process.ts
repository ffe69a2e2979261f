import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { BenchWorld } from './world.ts';

/** A real process of the world. */
export interface WorldProcess {
  /** Resolves with what `look` gives for some line of its log, from now on; rejects when the process ends before. */
  until<T>(look: (line: string) => T | null): Promise<T>;
  /** Its peak resident memory so far, megabytes. */
  memoryMb(): number;
  stop(): Promise<void>;
}

export interface ProcessOptions {
  /** Below the root. */
  main: string;
  /** Which address of the world is its DATABASE_URL. */
  databaseKey: string;
  env?: Record<string, string>;
  /** Told of every line. */
  onLine?(line: string): void;
}

const root = path.resolve(import.meta.dirname, '../..');
const lastLines = 10;
const stopWithinMs = 12_000;

/** Starts one; it ends with the world. */
export function startProcess(world: BenchWorld, options: ProcessOptions): WorldProcess {
  const { main, databaseKey, onLine } = options;
  const DATABASE_URL = world.env[databaseKey]!;
  const child = spawn(process.execPath, [main], {
    cwd: root,
    env: { ...process.env, ...world.env, DATABASE_URL, PORT: '0', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const said: string[] = [];
  const looks = new Set<(line: string) => void>();
  const read = (line: string): void => {
    said.push(line);
    if (said.length > lastLines) said.shift();
    onLine?.(line);
    for (const look of looks) look(line);
  };
  createInterface({ input: child.stdout }).on('line', read);
  createInterface({ input: child.stderr }).on('line', read);
  const stop = (): Promise<void> => stopChild(child, ended);
  world.atEnd(stop);
  return {
    until: (look) =>
      new Promise((resolve, reject) => {
        const each = (line: string): void => {
          const found = look(line);
          if (found === null) return;
          looks.delete(each);
          resolve(found);
        };
        looks.add(each);
        void ended.then(() => reject(new Error(`${main} ended:\n${said.join('\n')}`)));
      }),
    memoryMb: () => peakMemoryMb(child.pid!),
    stop,
  };
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
  await ended;
  clearTimeout(hard);
}

/** What the kernel remembers of a process as its largest resident memory. */
export function peakMemoryMb(pid: number): number {
  const kilobytes = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes ?? 0) / 1_024);
}
