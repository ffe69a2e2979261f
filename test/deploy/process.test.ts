import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeFolders, resolvePaths } from '../../deploy/native/paths.ts';
import { running, startDetached, stopProcess } from '../../deploy/native/process.ts';
import { secret, secretFile } from '../../deploy/native/secrets.ts';
import { temporaryFolder } from './temporary.ts';

function freshPaths() {
  const folder = temporaryFolder();
  const paths = resolvePaths({ EMULSION_HOME: folder, EMULSION_CACHE: join(folder, 'cache') });
  makeFolders(paths);
  return paths;
}

const how = { signal: 'SIGTERM', waitMs: 2_000 } as const;

describe('processes of a stack', () => {
  test('one is found again by its pid file, and stopped with its whole group', async () => {
    const paths = freshPaths();
    startDetached(paths, { name: 'sleeper', file: 'sh', args: ['-c', 'sleep 60 & wait'] });
    expect(running(paths, 'sleeper')).toBeDefined();
    expect(await stopProcess(paths, 'sleeper', how)).toBe(true);
    expect(running(paths, 'sleeper')).toBeUndefined();
  });

  test('a number that lives again as another process is left alone', async () => {
    const paths = freshPaths();
    writeFileSync(
      join(paths.run, 'reused.pid'),
      JSON.stringify({ pid: process.pid, startTime: '1', logStart: 0 }),
    );
    expect(running(paths, 'reused')).toBeUndefined();
    expect(await stopProcess(paths, 'reused', how)).toBe(false);
  });

  test('a pid file cut short by a kill is as good as none', () => {
    const paths = freshPaths();
    writeFileSync(join(paths.run, 'torn.pid'), '{"pid":12');
    expect(running(paths, 'torn')).toBeUndefined();
  });

  test('workers whose master was killed are ended too', async () => {
    const paths = freshPaths();
    const mark = join(paths.home, 'worker');
    const script = `sleep 60 & echo $! > ${mark}; wait`;
    const master = startDetached(paths, { name: 'master', file: 'sh', args: ['-c', script] });
    while (!existsSync(mark) || readFileSync(mark, 'utf8') === '') await sleep(10);
    const worker = Number(readFileSync(mark, 'utf8'));
    onTestFinished(() => killQuietly(worker));
    process.kill(master.pid, 'SIGKILL');
    while (running(paths, 'master')) await sleep(10);
    await stopProcess(paths, 'master', how);
    expect(stateOf(worker)).not.toMatch(/[SR]/);
  });

  test('one that ignores the signal is killed when the time is up', async () => {
    const paths = freshPaths();
    startDetached(paths, {
      name: 'deaf',
      file: 'sh',
      args: ['-c', 'trap "" TERM; while :; do sleep 1; done'],
    });
    await sleep(100);
    await stopProcess(paths, 'deaf', { signal: 'SIGTERM', waitMs: 200 });
    expect(running(paths, 'deaf')).toBeUndefined();
  });
});

describe('secrets', () => {
  test('are made once, differ from home to home, and are their owner’s alone', () => {
    const paths = freshPaths();
    expect(secret(paths, 'redis')).toBe(secret(paths, 'redis'));
    expect(secret(paths, 'redis')).not.toBe(secret(freshPaths(), 'redis'));
    expect(statSync(secretFile(paths, 'redis')).mode & 0o777).toBe(0o600);
    expect(statSync(paths.secrets).mode & 0o777).toBe(0o700);
  });
});

function stateOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0]!;
  } catch {
    return 'gone'.slice(0, 1);
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // already gone, as it should be
  }
}
