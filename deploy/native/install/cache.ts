import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../lock.ts';
import type { Progress } from '../progress.ts';

/** `signal` ends what is being downloaded or built. */
export type Cache = { folder: string; progress: Progress; signal?: AbortSignal };

/**
 * The folder of an installed part, made by `build` if it is not there yet. Built aside and renamed, so that a folder
 * that exists is whole, however often an installation was interrupted; locked, so that two copies build once.
 */
export async function installOnce(
  cache: Cache,
  part: string,
  version: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const target = join(cache.folder, `${part}-${version}`);
  if (existsSync(target)) return target;
  const waiting = () => cache.progress.event(part, 'waiting for another copy that is installing it');
  await withLock(join(cache.folder, `.lock-${part}`), waiting, async () => {
    if (existsSync(target)) return;
    removeLeftovers(cache.folder, part);
    mkdirSync(cache.folder, { recursive: true });
    const aside = mkdtempSync(join(cache.folder, `.building-${part}-`));
    await build(aside);
    renameSync(aside, target);
    cache.progress.busy(part, undefined);
    cache.progress.event(part, `installed ${version}`);
  });
  return target;
}

/** Under the lock nobody else builds this part, so what lies there was left by a kill. */
function removeLeftovers(folder: string, part: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(`.building-${part}-`)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}
