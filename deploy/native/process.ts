import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Paths } from './paths.ts';
import type { Environment } from './ports.ts';

const largestLog = 20 * 1024 * 1024;

export type Command = { name: string; file: string; args: string[]; env?: Environment; cwd?: string };
/** A process of ours. `logStart` is where in its log this run begins. */
export type Running = { pid: number; startTime: string; logStart: number };

/** Starts it detached, in its own process group, its output going to the log, and remembers it in a pid file. */
export function startDetached(paths: Paths, command: Command): Running {
  const log = logFile(paths, command.name);
  if (existsSync(log) && statSync(log).size > largestLog) renameSync(log, `${log}.1`);
  const fd = openSync(log, 'a');
  const logStart = statSync(log).size;
  const child = spawn(command.file, command.args, {
    cwd: command.cwd ?? paths.home,
    env: command.env ?? process.env,
    stdio: ['ignore', fd, fd],
    detached: true,
  });
  closeSync(fd);
  child.once('error', (error) => writeFileSync(log, `${error.message}\n`, { flag: 'a' }));
  child.unref();
  const running = { pid: child.pid ?? -1, startTime: startTimeOf(child.pid ?? -1) ?? '', logStart };
  writeFileSync(pidFile(paths, command.name), JSON.stringify(running));
  return running;
}

/** The running process of that name, or undefined. A reused pid has another start time and is nobody of ours. */
export function running(paths: Paths, name: string): Running | undefined {
  const kept = remembered(paths, name);
  return kept && isAlive(kept) ? kept : undefined;
}

function remembered(paths: Paths, name: string): Running | undefined {
  try {
    return JSON.parse(readFileSync(pidFile(paths, name), 'utf8')) as Running;
  } catch {
    return undefined; // no file, or one cut short by a kill
  }
}

export function isAlive(process: Running): boolean {
  return process.startTime !== '' && startTimeOf(process.pid) === process.startTime;
}

export type StopHow = { signal: NodeJS.Signals; waitMs: number };

/** Asks by signal, waits, then kills the whole group. Says whether there was anything to stop. */
export async function stopProcess(paths: Paths, name: string, how: StopHow): Promise<boolean> {
  const target = running(paths, name);
  if (target) {
    signal(target.pid, how.signal);
    const deadline = Date.now() + how.waitMs;
    while (isAlive(target) && Date.now() < deadline) await sleep(25);
    if (isAlive(target)) signal(-target.pid, 'SIGKILL');
    while (isAlive(target)) await sleep(25);
  }
  await killOrphans(paths, name);
  rmSync(pidFile(paths, name), { force: true });
  return target !== undefined;
}

/**
 * Kills what is left of a part's process group when its leader is gone: after kill -9 of nginx's master its workers
 * still hold the port. A number is not given to a new process while a group carries it, so the group is still ours
 * unless the leader's number lives again.
 */
export async function killOrphans(paths: Paths, name: string): Promise<void> {
  const kept = remembered(paths, name);
  if (!kept || kept.pid <= 1 || startTimeOf(kept.pid) !== undefined) return;
  const left = () => groupOf(kept.pid).filter((start) => Number(start) >= Number(kept.startTime)).length > 0;
  if (left()) signal(-kept.pid, 'SIGKILL');
  const deadline = Date.now() + 5_000;
  while (left() && Date.now() < deadline) await sleep(25);
}

/** The last lines of this run's log, for a person to read the reason in. */
export function logTail(paths: Paths, name: string, from: number, lines = 12): string {
  try {
    const text = readFileSync(logFile(paths, name)).subarray(from).toString('utf8').trimEnd();
    return text.split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

export function logFile(paths: Paths, name: string): string {
  return join(paths.logs, `${name}.log`);
}

function pidFile(paths: Paths, name: string): string {
  return join(paths.run, `${name}.pid`);
}

/** Start time in clock ticks since boot, field 22 of /proc/PID/stat; undefined for one that is gone or a zombie. */
function startTimeOf(pid: number): string | undefined {
  return statOf(pid)?.startTime;
}

/** The processes that this one has started and that live; none of one that has ended. */
export function childrenOf(pid: number): number[] {
  try {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return pids === '' ? [] : pids.split(' ').map(Number);
  } catch {
    return [];
  }
}

/** Start times of the living members of a process group. */
function groupOf(group: number): string[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.flatMap((pid) => {
    const stat = statOf(Number(pid));
    return stat?.group === String(group) ? [stat.startTime] : [];
  });
}

function statOf(pid: number): { group: string; startTime: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : { group: fields[2]!, startTime: fields[19]! };
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
