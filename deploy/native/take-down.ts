import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { engineAnswers, resetCompose, stopCompose } from './compose.ts';
import { stop } from './down.ts';
import { withLock } from './lock.ts';
import { homeExists, resolvePaths } from './paths.ts';
import { type Environment, resolvePorts } from './ports.ts';
import { createProgress, type Progress } from './progress.ts';

export type DownOptions = {
  env?: Environment;
  progress?: Progress;
  /** Only these parts; the others go on. */
  only?: readonly string[];
};

/** Stops everything of this home, or some of it, and gives the names of what was running. */
export async function takeDown(options: DownOptions = {}): Promise<string[]> {
  const env = options.env ?? process.env;
  const paths = resolvePaths(env);
  if (!homeExists(paths)) return [];
  const progress = options.progress ?? createProgress();
  return withLock(join(paths.run, '.lock'), busy(progress), async () => {
    const { only } = options;
    const composePorts = !only && (await engineAnswers(env)) ? resolvePorts(env) : undefined;
    const stopped = await stop({ paths, progress }, (name) => only?.includes(name) ?? true);
    if (composePorts) {
      await stopCompose(paths, composePorts);
      stopped.push('compose');
    }
    progress.end();
    return stopped;
  });
}

/** Stops everything and deletes the data, logs and secrets of this home. Installed parts stay in the cache. */
export async function reset(options: DownOptions = {}): Promise<void> {
  const env = options.env ?? process.env;
  const paths = resolvePaths(env);
  if (!homeExists(paths)) return;
  const composePorts = (await engineAnswers(env)) ? resolvePorts(env) : undefined;
  await takeDown({ ...options, env });
  if (composePorts) await resetCompose(paths, composePorts);
  for (const name of [
    'prepared',
    'kafka',
    'postgres',
    'redis',
    's3',
    'nginx',
    'logs',
    'secrets',
    'verify',
    'run',
  ]) {
    rmSync(join(paths.home, name), { recursive: true, force: true });
  }
}

function busy(progress: Progress): () => void {
  return () => progress.event('stack', 'waiting for another command that works on this stack');
}
