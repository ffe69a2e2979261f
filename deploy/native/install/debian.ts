import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { exec, findProgram } from '../exec.ts';
import { failure } from '../failure.ts';
import { withLock } from '../lock.ts';
import { type Cache, installOnce } from './cache.ts';

/** What is taken from Debian: the programs of a part, and the packages they must come from together. */
const sources: Record<string, { programs: string[]; packages: string[]; size: string }> = {
  nginx: { programs: ['nginx'], packages: ['nginx'], size: '1 MB' },
  // redis-server is a link into redis-tools, so both are unpacked even where one is installed.
  redis: { programs: ['redis-server'], packages: ['redis-server', 'redis-tools'], size: '2 MB' },
  ffmpeg: { programs: ['ffmpeg', 'ffprobe'], packages: ['ffmpeg'], size: '90 MB' },
};

/**
 * Full paths of the part's programs by name: those on PATH, else unpacked from Debian's packages into the cache.
 * Unpacked rather than installed, for root too: it changes nothing on the machine, starts no service of Debian's,
 * needs no lock of dpkg's, and is one way for everybody.
 */
export async function findOrUnpack(cache: Cache, part: string): Promise<Record<string, string>> {
  const { programs, packages, size } = sources[part]!;
  const places = () => programs.map((name) => [name, unpackedProgram(cache.folder, part, name)]);
  if (programs.every(findProgram)) return Object.fromEntries(places());
  await installOnce(cache, part, 'debian', async (aside) => {
    cache.progress.busy(part, `downloading from Debian (about ${size}, once)`);
    await unpack(cache, aside, packages);
    for (const program of programs) writeLauncher(aside, program);
  });
  return Object.fromEntries(places());
}

/** Where a program of Debian's is or will be: on PATH, else in the cache. */
export function unpackedProgram(cacheFolder: string, part: string, name: string): string {
  return findProgram(name) ?? join(cacheFolder, `${part}-debian`, 'bin', name);
}

async function unpack(cache: Cache, folder: string, packages: string[]): Promise<void> {
  if (!findProgram('apt-get') || !findProgram('dpkg-deb')) {
    throw failure(
      `${packages[0]} isn't on this machine, and it is no Debian to get it from.`,
      `Install ${packages[0]} with the machine's package manager and run this again.`,
    );
  }
  const remedy = `Check the package sources (apt-get update), or install it by hand: apt-get install ${packages.join(' ')}`;
  const download = join(folder, '.download');
  mkdirSync(download);
  const apt = await freshLists(cache, remedy);
  const plan = await exec('apt-get', [...apt, '-s', 'install', '--no-install-recommends', ...packages], {
    remedy,
  });
  const missing = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]!);
  const wanted = [...new Set([...packages, ...missing])];
  await exec('apt-get', [...apt, '-q', 'download', ...wanted], {
    cwd: download,
    remedy,
    signal: cache.signal,
  });
  for (const archive of readdirSync(download).filter((name) => name.endsWith('.deb'))) {
    await exec('dpkg-deb', ['-x', join(download, archive), folder], { remedy, signal: cache.signal });
  }
  rmSync(download, { recursive: true });
}

let updated: Promise<string[]> | undefined;

/** The options that make apt work in our cache instead of the system's folders; its lists fetched once a run. */
function freshLists(cache: Cache, remedy: string): Promise<string[]> {
  updated ??= withLock(
    join(cache.folder, '.lock-apt'),
    () => {},
    async () => {
      const state = join(cache.folder, 'apt');
      mkdirSync(join(state, 'lists/partial'), { recursive: true });
      mkdirSync(join(state, 'archives/partial'), { recursive: true });
      const settings = [
        `Dir::State::Lists=${join(state, 'lists')}`,
        `Dir::Cache=${state}`,
        'Debug::NoLocking=1',
        'APT::Sandbox::User=', // apt would drop to a user who cannot reach a cache in /root
      ];
      const options = settings.flatMap((setting) => ['-o', setting]);
      await exec('apt-get', [...options, '-q', 'update'], { remedy, signal: cache.signal });
      return options;
    },
  );
  return updated;
}

/** A launcher that finds the shared libraries unpacked beside the program, wherever the folder was renamed to. */
function writeLauncher(folder: string, program: string): void {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const file = ['usr/bin', 'usr/sbin']
    .map((place) => join(place, program))
    .find((path) => existsIn(folder, path));
  if (!file)
    throw failure(`Debian's package holds no ${program}.`, `Install ${program} by hand and run this again.`);
  const libraries = libraryFolders(folder, '').map((path) => `$here/${path}`);
  const launcher = join(folder, 'bin', program);
  writeFileSync(
    launcher,
    `#!/bin/sh
here=$(cd "$(dirname "$0")/.." && pwd)
LD_LIBRARY_PATH="${libraries.join(':')}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export LD_LIBRARY_PATH
exec "$here/${file}" "$@"
`,
  );
  chmodSync(launcher, 0o755);
}

function existsIn(folder: string, path: string): boolean {
  const inside = join(folder, path);
  try {
    return readdirSync(join(inside, '..')).includes(basename(path));
  } catch {
    return false;
  }
}

/** Folders below lib and usr/lib that hold shared libraries (some packages keep theirs one level deeper). */
function libraryFolders(root: string, inside: string): string[] {
  const here = join(root, inside);
  const found: string[] = [];
  for (const entry of safeEntries(here)) {
    const path = join(inside, entry.name);
    if (entry.isDirectory() && (inside !== '' || ['lib', 'usr'].includes(entry.name))) {
      found.push(...libraryFolders(root, path));
    }
  }
  const holdsLibraries = safeEntries(here).some(
    (entry) => /\.so(\.\d+)*$/.test(entry.name) && !entry.isDirectory(),
  );
  return holdsLibraries && inside.includes('lib') ? [inside, ...found] : found;
}

function safeEntries(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
