import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Paths } from './paths.ts';

/** Port number by its key (`EMULSION_KAFKA_PORT` …). */
export type Ports = Record<string, number>;

/**
 * The ports that the stack of this home was started on, from its start until it is stopped, so that a command without
 * EMULSION_PORT meets this stack and no other copy's; undefined when none is kept.
 */
export function keptPorts(paths: Paths): Ports | undefined {
  try {
    return JSON.parse(readFileSync(portsFile(paths), 'utf8')) as Ports;
  } catch {
    return undefined; // no file, or one cut short by a kill
  }
}

export function keepPorts(paths: Paths, ports: Ports): void {
  writeFileSync(portsFile(paths), JSON.stringify(ports));
}

export function forgetPorts(paths: Paths): void {
  rmSync(portsFile(paths), { force: true });
}

function portsFile(paths: Paths): string {
  return join(paths.run, 'ports.json');
}
