import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { partNamed } from '../../parts.ts';
import { secret } from '../secrets.ts';
import { type Context, launch } from './context.ts';

const part = partNamed('redis');

export async function startRedis(context: Context, program: string): Promise<void> {
  const { paths, ports } = context;
  await launch(context, part, async () => {
    const folder = join(paths.home, 'redis');
    mkdirSync(folder, { recursive: true });
    const settings = {
      ...part.settings,
      maxmemory: process.env.EMULSION_REDIS_MAXMEMORY || part.settings.maxmemory,
      bind: '127.0.0.1',
      port: ports.EMULSION_REDIS_PORT,
      dir: `"${folder}"`,
      requirepass: secret(paths, 'redis'),
    };
    // In a file: on the command line everybody on the machine could read the password.
    const file = join(folder, 'redis.conf');
    const text = Object.entries(settings).map(([key, value]) => `${key} ${value}\n`);
    writeFileSync(file, text.join(''), { mode: 0o600 });
    return { file: program, args: [file], cwd: folder };
  });
}
