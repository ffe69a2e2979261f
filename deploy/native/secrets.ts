import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Paths } from './paths.ts';

/**
 * The secret kept under that name in this home; made once, readable by its owner alone.
 * Written aside and linked, so that of two callers at once both get the same value, and a kill leaves none half written.
 */
export function secret(paths: Paths, name: string, make: () => string = password): string {
  const file = secretFile(paths, name);
  const kept = read(file);
  if (kept !== undefined) return kept;
  mkdirSync(paths.secrets, { recursive: true, mode: 0o700 });
  const aside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(aside, `${make()}\n`, { mode: 0o600, flush: true });
  try {
    linkSync(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
  return read(file)!;
}

export function secretFile(paths: Paths, name: string): string {
  return join(paths.secrets, name);
}

/** 32 random bytes in base64: the master key that wraps the vault's data keys. */
export function masterKey(): string {
  return randomBytes(32).toString('base64');
}

/** A password that needs no escaping in a URL, a shell or a configuration file. */
export function password(): string {
  return randomBytes(24).toString('hex');
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
