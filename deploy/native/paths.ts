import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Environment = Record<string, string | undefined>;

/** Where one copy of the stack keeps what. `cache` is shared by all copies of this user. */
export type Paths = {
  repo: string;
  home: string;
  cache: string;
  logs: string;
  run: string;
  secrets: string;
};

export function resolvePaths(env: Environment): Paths {
  const repo = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
  const home = absolute(env.EMULSION_HOME, repo) ?? join(repo, '.emulsion');
  const shared = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  const cache = absolute(env.EMULSION_CACHE, repo) ?? join(shared, 'emulsion');
  return {
    repo,
    home,
    cache,
    logs: join(home, 'logs'),
    run: join(home, 'run'),
    secrets: join(home, 'secrets'),
  };
}

/** Makes the folders. Secrets are the owner's alone, and logs, which hold ids and addresses of requests. */
export function makeFolders(paths: Paths): void {
  for (const folder of [paths.cache, paths.run]) mkdirSync(folder, { recursive: true });
  for (const folder of [paths.logs, paths.secrets]) mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/** Whether anything was ever started in this home. */
export function homeExists(paths: Paths): boolean {
  return existsSync(paths.run);
}

function absolute(path: string | undefined, base: string): string | undefined {
  if (!path) return undefined;
  return isAbsolute(path) ? path : resolve(base, path);
}
