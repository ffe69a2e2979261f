import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxConf } from '../../nginx/nginx.conf.ts';
import { edgeRoutes } from '../../nginx/routes.ts';
import { partNamed } from '../../parts.ts';
import { logFile, running } from '../process.ts';
import { type Context, launch } from './context.ts';

const part = partNamed('nginx');

/** nginx in front, its table made from the route contracts as they are now. A running one takes up a new table. */
export async function startNginx(context: Context, program: string, bucket: string): Promise<void> {
  const already = running(context.paths, part.name);
  const user = process.getuid?.() === 0 ? 'root' : undefined;
  const { file, changed } = await writeNginxConf(context, bucket, user);
  if (already && changed) {
    process.kill(already.pid, 'SIGHUP');
    context.progress.event(part.name, 'took up the new table of routes');
  }
  await launch(context, part, async () => ({
    file: program,
    args: ['-e', 'stderr', '-p', join(context.paths.home, 'nginx'), '-c', file],
  }));
}

/** Writes $EMULSION_HOME/nginx/nginx.conf for workers that run as `user`; gives its path and whether it is news. */
export async function writeNginxConf(
  { paths, ports }: Context,
  bucket: string,
  user: string | undefined,
): Promise<{ file: string; changed: boolean }> {
  const folder = join(paths.home, 'nginx');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'nginx.conf');
  const routes = await edgeRoutes(paths.repo);
  const accessLog = logFile(paths, 'nginx-access');
  const text = nginxConf({ ports, routes, folder, accessLog, bucket, user });
  const changed = !existsSync(file) || readFileSync(file, 'utf8') !== text;
  if (changed) writeFileSync(file, text);
  return { file, changed };
}
