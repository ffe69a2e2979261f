import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { failure } from './failure.ts';
import type { Environment } from './ports.ts';

export type ExecOptions = { cwd?: string; env?: Environment; signal?: AbortSignal; remedy: string };

/** Runs a program to its end and gives its standard output; a failure tells the last lines it said. */
export function exec(file: string, args: string[], options: ExecOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: options.signal,
    });
    let out = '';
    let said = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
      said = (said + chunk).slice(-4000);
    });
    child.stderr.on('data', (chunk) => {
      said = (said + chunk).slice(-4000);
    });
    child.once('error', (error) =>
      reject(failure(`${file} could not be run: ${error.message}.`, options.remedy)),
    );
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(out);
      const tail = said.trim().split('\n').slice(-10).join('\n    ');
      reject(failure(`${file} ${args[0] ?? ''} failed (${signal ?? code}):\n    ${tail}`, options.remedy));
    });
  });
}

/** Full path of a program on PATH (and the sbin folders, which users' PATHs often lack), or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder || '.', name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
