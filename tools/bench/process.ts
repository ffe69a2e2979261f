import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeFlags } from '../../deploy/parts.ts';
import { openTail } from './tail.ts';
import type { BenchWorld } from './world.ts';

/** A real process of the world. */
export interface WorldProcess {
  /** Resolves with what `look` gives for some line of its log not read yet; rejects when the process ends before. */
  until<T>(look: (line: string) => T | null): Promise<T>;
  /** Its peak resident memory so far, megabytes. */
  memoryMb(): number;
  /** What it holds now, bytes. */
  residentBytes(): number;
  /** Of all its threads so far. */
  cpuSeconds(): number;
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
const readEveryMs = 20;

/**
 * Starts one; it ends with the world. Its log is a file, as that of a service is, and read only while somebody looks: a
 * line for each request costs the load nothing.
 */
export function startProcess(world: BenchWorld, options: ProcessOptions): WorldProcess {
  const { child, log } = spawnLogged(world, options);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const tail = openTail(log);
  const said: string[] = [];
  const looks = new Set<(line: string) => void>();
  const read = (): void => {
    for (const line of tail.read()) {
      said.push(line);
      if (said.length > lastLines) said.shift();
      options.onLine?.(line);
      for (const look of looks) look(line);
    }
  };
  const reading = setInterval(() => (options.onLine || looks.size > 0) && read(), readEveryMs);
  void ended.then(() => {
    clearInterval(reading);
    read();
    tail.close();
    rmSync(log, { force: true });
  });
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
        void ended.then(() => reject(new Error(`${options.main} ended:\n${said.join('\n')}`)));
      }),
    memoryMb: () => peakMemoryMb(child.pid!),
    residentBytes: () => residentBytes(child.pid!),
    cpuSeconds: () => cpuSeconds(child.pid!),
    stop,
  };
}

function spawnLogged(
  world: BenchWorld,
  { main, databaseKey, env }: ProcessOptions,
): { child: ChildProcess; log: string } {
  const log = path.join(tmpdir(), `emulsion-${world.prefix}${randomUUID()}.log`);
  const fd = openSync(log, 'a');
  const DATABASE_URL = world.env[databaseKey]!;
  const child = spawn(process.execPath, [...nodeFlags, main], {
    cwd: root,
    env: { ...process.env, ...world.env, DATABASE_URL, PORT: '0', ...env },
    stdio: ['ignore', fd, fd],
  });
  closeSync(fd);
  return { child, log };
}

/** Where a service answers, once it says that it listens. */
export async function urlOf({ until }: WorldProcess): Promise<string> {
  const port = await until((line) => (line.includes('"listening"') ? Number(JSON.parse(line).port) : null));
  return `http://127.0.0.1:${port}`;
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
  return Math.round(kilobytesOf(pid, 'VmHWM') / 1_024);
}

/** The resident memory of a process now, bytes. */
export function residentBytes(pid: number): number {
  return kilobytesOf(pid, 'VmRSS') * 1_024;
}

const ticksPerSecond = 100;

/** What a process has had of the processors so far: unlike its rate, this hardly depends on who else works. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function kilobytesOf(pid: number, field: string): number {
  const found = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? 0);
}
