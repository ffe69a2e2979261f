import { join } from 'node:path';
import { ensureDatabases } from './database.ts';
import { databaseUrl, ownerRole, registryRole } from './environment.ts';
import { exec, findProgram } from './exec.ts';
import { failure } from './failure.ts';
import { findOrUnpack } from './install/debian.ts';
import type { Paths } from './paths.ts';
import type { Environment, Ports } from './ports.ts';
import type { Context } from './run/context.ts';
import { writeNginxConf } from './run/nginx.ts';
import { secret } from './secrets.ts';

/**
 * The servers in containers, for those who have an engine. The services stay processes of the host, at the same
 * addresses and with the same keys. Not run where this was written: there was no engine (see docker-compose.yml).
 */
export async function startCompose(context: Context, stack: Record<string, string>): Promise<void> {
  const { paths, ports, progress } = context;
  const already = (await compose(paths, ports, ['ps', '--quiet'])).trim() !== '';
  if (!already) context.started.add('compose');
  progress.busy('compose', 'starting the servers');
  await writeNginxConf(context, stack.S3_BUCKET!, 'root');
  // Postgres first: the registry's role and database must be there before it starts.
  await compose(paths, ports, ['up', '--detach', '--wait', 'postgres']);
  await ensureDatabases(paths, ports);
  await compose(paths, ports, ['up', '--detach', '--wait']);
  await findOrUnpack({ folder: paths.cache, progress }, 'ffmpeg');
  progress.busy('compose', undefined);
  progress.event('compose', 'all servers are ready');
}

export async function stopCompose(paths: Paths, ports: Ports): Promise<void> {
  await compose(paths, ports, ['stop']);
}

/** Removes the containers and their data. */
export async function resetCompose(paths: Paths, ports: Ports): Promise<void> {
  await compose(paths, ports, ['down', '--volumes']);
}

/** EMULSION_ENGINE is `auto` (compose if an engine answers), `native` or `docker`. */
export async function engineAnswers(env: Environment): Promise<boolean> {
  const wanted = env.EMULSION_ENGINE || 'auto';
  if (wanted === 'native') return false;
  if (!['auto', 'docker'].includes(wanted)) {
    throw failure(`EMULSION_ENGINE is "${wanted}".`, 'Set it to auto, native or docker.');
  }
  const answers = await dockerInfo();
  if (wanted === 'docker' && !answers) {
    throw failure('No container engine answers `docker info`.', 'Start it, or set EMULSION_ENGINE=native.');
  }
  if (!answers && process.platform !== 'linux') {
    throw failure(
      `On ${process.platform} the servers run in containers.`,
      'Start Docker and run this again.',
    );
  }
  return answers;
}

async function dockerInfo(): Promise<boolean> {
  if (!findProgram('docker')) return false;
  return exec('docker', ['info', '--format', '{{.ServerVersion}}'], { remedy: '' }).then(
    (version) => version.trim() !== '',
    () => false,
  );
}

function compose(paths: Paths, ports: Ports, args: string[]): Promise<string> {
  const project = composeProject(ports);
  const file = join(paths.repo, composeFile);
  return exec('docker', ['compose', '--project-name', project, '--file', file, ...args], {
    env: { ...process.env, ...composeEnvironment(paths, ports) },
    cwd: paths.repo,
    remedy: `Look at docker compose --project-name ${project} logs, or use EMULSION_ENGINE=native.`,
  });
}

export const composeFile = 'docker-compose.yml';

/** Copies side by side are projects of their own. */
export function composeProject(ports: Ports): string {
  return `emulsion-${ports.EMULSION_PORT}`;
}

/** What docker-compose.yml leaves open. */
export function composeEnvironment(paths: Paths, ports: Ports): Record<string, string> {
  return {
    ...Object.fromEntries(Object.entries(ports).map(([key, port]) => [key, String(port)])),
    EMULSION_HOME: paths.home,
    EMULSION_POSTGRES_PASSWORD: new URL(databaseUrl(paths, ports, ownerRole, 'emulsion')).password,
    EMULSION_REGISTRY_PASSWORD: secret(paths, `postgres-${registryRole}`),
    EMULSION_REDIS_PASSWORD: secret(paths, 'redis'),
    EMULSION_S3_SECRET: secret(paths, 's3'),
  };
}
