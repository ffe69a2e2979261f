import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Runs `work` while holding a lock on the file, waiting for another holder (told once by `waiting`).
 * The lock is the kernel's, held by a child that ends with us: a killed holder leaves nothing stale behind.
 */
export async function withLock<T>(file: string, waiting: () => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const release = await acquire(file, waiting);
  try {
    return await work();
  } finally {
    release();
  }
}

/** Takes the lock if nobody holds it, for as long as the caller likes; undefined if somebody does. */
export async function tryLock(file: string): Promise<(() => void) | undefined> {
  mkdirSync(dirname(file), { recursive: true });
  return acquire(file, () => {}, ['--nonblock']).catch(() => undefined);
}

function acquire(file: string, waiting: () => void, options: string[] = []): Promise<() => void> {
  // detached: a Ctrl-C must not take the lock from us while we are still cleaning up.
  const holder = spawn(
    'flock',
    ['--exclusive', ...options, file, 'sh', '-c', 'echo held; exec cat >/dev/null'],
    {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    },
  );
  const notice = setTimeout(waiting, 500);
  return new Promise((resolve, reject) => {
    holder.once('error', reject);
    holder.once('exit', () => reject(new Error(`the lock ${file} could not be taken`)));
    holder.stdout.once('data', () => {
      clearTimeout(notice);
      resolve(() => holder.stdin.end());
    });
  });
}
