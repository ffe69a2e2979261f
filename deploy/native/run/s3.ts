import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { partNamed } from '../../parts.ts';
import { s3Binary } from '../install/s3.ts';
import { secret } from '../secrets.ts';
import { type Context, launch } from './context.ts';

const part = partNamed('s3');

/**
 * The S3 gateway on plain files. Metadata goes into a folder beside the objects (`--sidecar`), because extended
 * attributes are missing on some file systems and one way for all is easier to reason about.
 */
export async function startS3(context: Context, folder: string): Promise<void> {
  const { paths, ports } = context;
  await launch(context, part, async () => {
    const data = join(paths.home, 's3/objects');
    const sidecar = join(paths.home, 's3/metadata');
    for (const path of [data, sidecar]) mkdirSync(path, { recursive: true, mode: 0o700 });
    return {
      file: s3Binary(folder),
      // quiet: its request log would hold the signatures of presigned addresses.
      args: ['--quiet', '--port', `127.0.0.1:${ports.EMULSION_S3_PORT}`, 'posix', '--sidecar', sidecar, data],
      env: {
        ...process.env,
        ...part.settings,
        ROOT_ACCESS_KEY: 'emulsion',
        ROOT_SECRET_KEY: secret(paths, 's3'),
      },
    };
  });
}
