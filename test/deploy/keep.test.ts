import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from './temporary.ts';

const keep = resolve(import.meta.dirname, '../../deploy/native/keep.sh');

/** Runs a shell line under keep.sh; each start of it leaves a line in the file. */
function kept(settled: number, line: string) {
  const file = join(temporaryFolder(), 'starts');
  const child = spawn('sh', [keep, String(settled), 'sh', '-c', `echo $$ >>${file}; ${line}`], {
    stdio: 'pipe',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (data) => {
    said += data;
  });
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  const starts = (): string[] => {
    try {
      return readFileSync(file, 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  };
  return { child, ended, starts, said: () => said };
}

test('a service that dies is started again, and its log says so', async () => {
  const { child, ended, starts, said } = kept(0, 'sleep 60 & wait');
  await vi.waitFor(() => expect(starts()).toHaveLength(1), 5_000);
  process.kill(Number(starts()[0]), 'SIGKILL');
  await vi.waitFor(() => expect(starts()).toHaveLength(2), 5_000);
  expect(JSON.parse(said().split('\n')[0]!)).toMatchObject({
    level: 'error',
    msg: expect.stringContaining('ended with status 137'),
  });
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(() => process.kill(Number(starts()[1]), 0)).toThrow('ESRCH');
});

test('one that dies at its first start is told at once, with its own status', async () => {
  const { ended, starts } = kept(15, 'exit 3');
  expect(await ended).toBe(3);
  expect(starts()).toHaveLength(1);
});

test('one that ends well is not started again', async () => {
  const { ended, starts } = kept(0, 'exit 0');
  expect(await ended).toBe(0);
  expect(starts()).toHaveLength(1);
});
