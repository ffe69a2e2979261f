import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exec, findProgram } from '../../deploy/native/exec.ts';
import { failure } from '../../deploy/native/failure.ts';
import { type Cache, installOnce } from '../../deploy/native/install/cache.ts';

const requirements = join(import.meta.dirname, 'requirements.txt');
const remedy =
  'It needs Python 3.10 or newer with venv and pip (on Debian: python3-venv), and its package index. Then run this again.';

/** The Python that has schemathesis, in an environment of its own in the cache; made by the first run. */
export async function installFuzzer(cache: Cache): Promise<string> {
  const folder = await installOnce(cache, 'schemathesis', version(), async (aside) => {
    cache.progress.busy('schemathesis', 'installing (half a minute, once)');
    const python = findProgram('python3');
    if (!python) throw failure('python3 is missing.', remedy);
    await exec(python, ['-m', 'venv', aside], { remedy, signal: cache.signal });
    copyFileSync(requirements, join(aside, 'requirements.txt'));
    // Not by the environment's own `pip`: what it writes names the folder, which is renamed when it is whole.
    const quiet = ['--quiet', '--no-input', '--disable-pip-version-check', '--no-deps'];
    const args = ['-m', 'pip', 'install', ...quiet, '-r', join(aside, 'requirements.txt')];
    await exec(join(aside, 'bin/python'), args, { remedy, signal: cache.signal });
  });
  return join(folder, 'bin/python');
}

/** Other pins are another environment. */
function version(): string {
  const text = readFileSync(requirements, 'utf8');
  const pinned = text.match(/^schemathesis==(\S+)$/m)![1]!;
  return `${pinned}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
}
