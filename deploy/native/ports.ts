import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { type Part, parts } from '../parts.ts';
import { failure } from './failure.ts';
import { keptPorts, type Ports } from './kept-ports.ts';
import { type Environment, resolvePaths } from './paths.ts';

export type { Ports } from './kept-ports.ts';
export type { Environment } from './paths.ts';

/**
 * All ports of a stack. EMULSION_PORT alone moves every one of them, so two copies run side by side; each can be
 * set by its own key too. The block stays below 32768, where Linux starts to hand out ports by itself. What no key
 * gives is as the running stack of this home has it.
 */
export function resolvePorts(env: Environment): Ports {
  const kept = keptPorts(resolvePaths(env));
  const front = portFrom(env, 'EMULSION_PORT', kept?.EMULSION_PORT ?? 8080);
  const own = kept?.EMULSION_PORT === front ? kept : undefined;
  const base = 10_000 + (front % 500) * 40;
  const ports: Ports = { EMULSION_PORT: front };
  for (const part of parts) {
    for (const { key, offset } of part.ports) {
      if (offset >= 0) ports[key] = portFrom(env, key, own?.[key] ?? base + offset);
    }
  }
  rejectDoubles(ports);
  return ports;
}

function portFrom(env: Environment, key: string, fallback: number): number {
  const given = env[key];
  if (given === undefined || given === '') return fallback;
  const port = Number(given);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw failure(`${key} is "${given}", which is not a port.`, `Set ${key} to a number from 1 to 65535.`);
}

function rejectDoubles(ports: Ports): void {
  const owner = new Map<number, string>();
  for (const [key, port] of Object.entries(ports)) {
    const other = owner.get(port);
    if (other) throw failure(`${other} and ${key} are both ${port}.`, `Set ${key} to a port of its own.`);
    owner.set(port, key);
  }
}

/** Refuses with the part, the port, who holds it (if that can be seen) and the key to set. */
export async function requireFreePorts(part: Part, ports: Ports): Promise<void> {
  for (const { key } of part.ports) {
    const port = ports[key]!;
    if (await isFree(port)) continue;
    const holder = portHolder(port);
    throw failure(
      `${part.name} needs port ${port}, which is in use${holder ? ` by ${holder}` : ''}.`,
      `Stop that program, or set ${key} to a free port (EMULSION_PORT moves all of them).`,
    );
  }
}

/** Whether a server could listen on that loopback port now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** "name (pid 12)" of the process listening on the port, as far as /proc shows it to this user. */
function portHolder(port: number): string | undefined {
  const inodes = listeningInodes(port);
  if (inodes.size === 0) return undefined;
  for (const pid of numericEntries('/proc')) {
    if (holdsSocket(pid, inodes)) return `${commandOf(pid)} (pid ${pid})`;
  }
  return undefined;
}

function listeningInodes(port: number): Set<string> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readText(file).split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === '0A' && local?.endsWith(`:${wanted}`) && inode) inodes.add(inode);
    }
  }
  return inodes;
}

function holdsSocket(pid: string, inodes: Set<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkQuietly(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    });
  } catch {
    return false; // gone meanwhile, or another user's
  }
}

function commandOf(pid: string): string {
  const words = readText(`/proc/${pid}/cmdline`).split('\0').slice(0, 3).join(' ').trim();
  return words.length > 80 ? `${words.slice(0, 80)}…` : words || 'a process';
}

function numericEntries(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function readlinkQuietly(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
