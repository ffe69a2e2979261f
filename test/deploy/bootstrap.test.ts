import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from './temporary.ts';

/** A clone with a stand-in for npm that takes a moment, notes each run and lays down a `node` that says its arguments. */
function clone(npm = install): string {
  const repo = temporaryFolder();
  mkdirSync(join(repo, 'deploy/native'), { recursive: true });
  mkdirSync(join(repo, 'path'));
  copyFileSync(
    join(import.meta.dirname, '../../deploy/native/bootstrap.sh'),
    join(repo, 'deploy/native/bootstrap.sh'),
  );
  writeFileSync(join(repo, 'package.json'), '{}');
  writeFileSync(join(repo, 'package-lock.json'), '{"lock":1}');
  writeFileSync(join(repo, 'path/npm'), npm);
  chmodSync(join(repo, 'path/npm'), 0o755);
  return repo;
}

const install = `#!/bin/sh
echo run >> npm-runs
rm -rf node_modules
mkdir -p node_modules/.bin
sleep 0.3
printf '#!/bin/sh\\necho "ran $*"\\n' > node_modules/.bin/node
chmod +x node_modules/.bin/node
`;

function start(repo: string): Promise<{ code: number | null; out: string; err: string }> {
  const env = { ...process.env, PATH: `${join(repo, 'path')}:${process.env.PATH}` };
  const child = spawn('sh', [join(repo, 'deploy/native/bootstrap.sh'), 'status'], { cwd: '/', env });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

const runs = (repo: string) => readFileSync(join(repo, 'npm-runs'), 'utf8').trim().split('\n').length;

describe('bootstrap.sh', () => {
  test('installs once, then runs the command line at once', async () => {
    const repo = clone();
    for (let i = 0; i < 3; i++) expect((await start(repo)).out).toContain('tools/cli/main.ts status');
    expect(runs(repo)).toBe(1);
  });

  test('installs again when the lock file has changed', async () => {
    const repo = clone();
    await start(repo);
    writeFileSync(join(repo, 'package-lock.json'), '{"lock":2}');
    await start(repo);
    expect(runs(repo)).toBe(2);
  });

  test('two at once install once', async () => {
    const repo = clone();
    const both = await Promise.all([start(repo), start(repo)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(runs(repo)).toBe(1);
  });

  test('an install that was cut off is made again', async () => {
    const repo = clone();
    await start(repo);
    rmSync(join(repo, 'node_modules/.emulsion-lock'));
    await start(repo);
    expect(runs(repo)).toBe(2);
  });

  test('a failing install says what to do, and leaves no stamp', async () => {
    const repo = clone('#!/bin/sh\necho "no network" >&2\nexit 7\n');
    const { code, err } = await start(repo);
    expect(code).toBe(1);
    expect(err).toMatch(/no network.*npm ci failed.*→ Check the network/s);
    expect(existsSync(join(repo, 'node_modules/.emulsion-lock'))).toBe(false);
  });
});
