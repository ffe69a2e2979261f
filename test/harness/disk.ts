import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A small disk in memory, to be filled: that of whoever runs on it, and of nobody else. */
export interface SmallDisk {
  folder: string;
  /** The command as it must be run to see the disk. */
  inside(command: readonly string[]): [string, ...string[]];
  /** Takes all room but so many KiB. */
  fill(leftKiB: number): void;
  /** Gives the room back that `fill` took. */
  empty(): void;
  close(): void;
}

/**
 * Mounted by root, otherwise in a mount namespace of a holder's own, which the kernel must allow to this user. Throws
 * when it can be neither.
 */
export async function openSmallDisk(mebibytes: number): Promise<SmallDisk> {
  const folder = mkdtempSync(path.join(tmpdir(), 'emulsion-disk-'));
  const mount = ['mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder];
  let holder: ChildProcess | null = null;
  const inside: SmallDisk['inside'] = (command) =>
    holder
      ? ['nsenter', '-t', `${holder.pid}`, '-U', '-m', '--preserve-credentials', '--', ...command]
      : (command as [string, ...string[]]);
  const run = (...command: string[]): string => {
    const [file, ...args] = inside(command);
    return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  };
  const close = (): void => {
    // With its holder a namespace is gone, and all that was mounted in it.
    if (holder) holder.kill('SIGKILL');
    else run('umount', '--lazy', folder);
    rmSync(folder, { recursive: true, force: true });
  };
  const filler = path.join(folder, 'filler');
  try {
    if (process.getuid?.() === 0) run(...mount);
    else holder = await hold(mount);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    folder,
    inside,
    fill(leftKiB) {
      const free = Number(run('df', '--output=avail', '-k', folder).split('\n')[1]);
      run('fallocate', '-l', `${free - leftKiB}KiB`, filler);
    },
    empty: () => void run('rm', filler),
    close,
  };
}

/** Runs the command in user and mount namespaces that live as long as the process given, which ends with us. */
async function hold(command: readonly string[]): Promise<ChildProcess> {
  const script = `${command.join(' ')} && echo mounted && exec cat`;
  const holder = spawn('unshare', ['--map-root-user', '--mount', 'sh', '-c', script], {
    stdio: 'pipe',
  });
  let said = '';
  holder.stderr.on('data', (data) => {
    said += data;
  });
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once('data', () => resolve());
    holder.once('error', reject);
    holder.once('exit', () => reject(new Error(`no disk of its own: ${said.trim()}`)));
  });
  return holder;
}
