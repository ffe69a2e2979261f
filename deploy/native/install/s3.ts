import { join } from 'node:path';
import { partNamed } from '../../parts.ts';
import { exec } from '../exec.ts';
import { type Cache, installOnce } from './cache.ts';

/** Folder with the `versitygw` binary, built from its published module. */
export function installS3(cache: Cache): Promise<string> {
  const version = partNamed('s3').version;
  return installOnce(cache, 's3', version, async (folder) => {
    cache.progress.busy('s3', `building ${version} (two minutes, once)`);
    await exec('go', ['install', '-ldflags=-s -w', `github.com/versity/versitygw/cmd/versitygw@${version}`], {
      env: { ...process.env, GOBIN: folder },
      cwd: folder,
      signal: cache.signal,
      remedy:
        'Check that Go 1.26+ is installed (go version) and can reach its module proxy, then run this again.',
    });
  });
}

export function s3Binary(folder: string): string {
  return join(folder, 'versitygw');
}
