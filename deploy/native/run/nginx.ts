import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxConf } from '../../nginx/nginx.conf.ts';
import { edgeRoutes } from '../../nginx/routes.ts';
import { partNamed } from '../../parts.ts';
import { logFile } from '../process.ts';
import { type Context, launch } from './context.ts';

const part = partNamed('nginx');

/** nginx in front, its table made from the route contracts as they are now. */
export async function startNginx(context: Context, program: string, bucket: string): Promise<void> {
  await launch(context, part, async () => {
    const user = process.getuid?.() === 0 ? 'root' : undefined;
    const file = await writeNginxConf(context, bucket, user);
    return { file: program, args: ['-e', 'stderr', '-p', join(context.paths.home, 'nginx'), '-c', file] };
  });
}

/** Writes $EMULSION_HOME/nginx/nginx.conf, for workers that run as `user`, and gives its path. */
export async function writeNginxConf(
  { paths, ports }: Context,
  bucket: string,
  user: string | undefined,
): Promise<string> {
  const folder = join(paths.home, 'nginx');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'nginx.conf');
  const routes = await edgeRoutes(paths.repo);
  const accessLog = logFile(paths, 'nginx-access');
  writeFileSync(file, nginxConf({ ports, routes, folder, accessLog, bucket, user }));
  return file;
}
