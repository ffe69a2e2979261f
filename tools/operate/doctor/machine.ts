import { execFile } from 'node:child_process';
import { stat, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Found, messageOf, ok, warn, wrong } from './finding.ts';

const run = promisify(execFile);
const oldestNode = 22;
/** Free parts of a disk. */
const room = { warn: 0.2, wrong: 0.05 };

/** Node and ffmpeg of this machine. */
export async function checkVersions(env: Record<string, string | undefined>): Promise<Found[]> {
  return [checkNode(process.versions.node), await checkFfmpeg(env.FFMPEG_PATH || 'ffmpeg')];
}

export function checkNode(version: string): Found {
  if (Number.parseInt(version, 10) >= oldestNode) return ok(`Node ${version}`);
  return wrong(
    `Node ${version}`,
    `Types are stripped by Node ${oldestNode} and newer: use that of node_modules/.bin.`,
  );
}

async function checkFfmpeg(program: string): Promise<Found> {
  try {
    const { stdout } = await run(program, ['-hide_banner', '-version'], { timeout: 5_000 });
    return ok(/^ffmpeg version \S+/.exec(stdout)?.[0] ?? 'ffmpeg of an unknown version');
  } catch (error) {
    return warn(
      `${program} can't be run: ${messageOf(error).split('\n')[0]}`,
      'Install ffmpeg (npx emulsion up does), or set FFMPEG_PATH. Pictures work without it.',
    );
  }
}

/** Free space where data lies, once a disk. */
export async function checkDisks(folders: ReadonlyMap<string, string>): Promise<Found[]> {
  const disks = new Map<number, string[]>();
  for (const [name, folder] of folders) {
    const { dev } = await stat(folder);
    disks.set(dev, [...(disks.get(dev) ?? []), name]);
  }
  if (disks.size === 0) return [ok('no data lies on this machine')];
  return Promise.all(
    [...disks.values()].map(async (names) => {
      const { bavail, blocks, bsize } = await statfs(folders.get(names[0]!)!);
      const found = checkRoom(bavail * bsize, blocks * bsize);
      return { ...found, what: `${names.join(', ')}: ${found.what}` };
    }),
  );
}

/** Both in bytes. */
export function checkRoom(free: number, size: number): Found {
  const what = `${Math.floor((free / size) * 100)} % free (${inWords(free)})`;
  const remedy = 'Make room or grow the disk: deploy/runbooks/disk-full.md. A full one stops writes.';
  if (free < size * room.wrong) return wrong(what, remedy);
  return free < size * room.warn ? warn(what, remedy) : ok(what);
}

function inWords(bytes: number): string {
  if (bytes < 1_073_741_824) return `${Math.floor(bytes / 1_048_576)} MB`;
  return `${Math.floor(bytes / 1_073_741_824)} GB`;
}
