import { join } from 'node:path';
import { type Part, parts } from '../parts.ts';
import { engineAnswers, startCompose } from './compose.ts';
import { ensureDatabases } from './database.ts';
import { stopStarted } from './down.ts';
import { stackEnvironment } from './environment.ts';
import { failure, isFailure } from './failure.ts';
import type { Cache } from './install/cache.ts';
import { findOrUnpack } from './install/debian.ts';
import { installKafka, installRegistry } from './install/maven.ts';
import { installS3 } from './install/s3.ts';
import { keepPorts, keptPorts } from './kept-ports.ts';
import { withLock } from './lock.ts';
import { makeFolders, resolvePaths } from './paths.ts';
import { type Environment, requireFreePorts, resolvePorts } from './ports.ts';
import { notePrepared, requireData } from './prepared.ts';
import { killOrphans, running } from './process.ts';
import { createProgress, type Progress } from './progress.ts';
import type { Context } from './run/context.ts';
import { startKafka } from './run/kafka.ts';
import { startNginx } from './run/nginx.ts';
import { startPostgres } from './run/postgres.ts';
import { startRedis } from './run/redis.ts';
import { startRegistry } from './run/registry.ts';
import { startS3 } from './run/s3.ts';
import { requireMains, servicesWithout, startService } from './run/services.ts';

export type Step = {
  name: string;
  run: (stack: Record<string, string>, log: (text: string) => void) => Promise<void>;
};

export type UpOptions = {
  env?: Environment;
  /** Only the servers and nginx, none of our processes. */
  partsOnly?: boolean;
  /** Services to leave out. */
  without?: string[];
  /** Run in order when all servers are ready, with and without services: what a server lacks to be of use. */
  afterServers?: Step[];
  /** Run in order after those, before the services start: migrations, topics, schemas. */
  beforeServices?: Step[];
  progress?: Progress;
  /** Aborting stops what this run started and rejects. */
  signal?: AbortSignal;
};

export type Up = { stack: Record<string, string>; context: Context };

/**
 * Installs what is missing and starts what isn't running; parts go side by side, each as soon as those it needs are
 * ready. When anything fails or `signal` aborts, what this run started is stopped again.
 */
export async function up(options: UpOptions = {}): Promise<Up> {
  const env = options.env ?? process.env;
  const progress = options.progress ?? createProgress();
  const paths = resolvePaths(env);
  makeFolders(paths);
  const failing = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failing.signal]) : failing.signal;
  const context: Context = { paths, ports: resolvePorts(env), progress, started: new Set(), signal };
  const stack = stackEnvironment({ env });
  const waiting = () => progress.event('stack', 'waiting for another command that works on this stack');
  return withLock(join(paths.run, '.lock'), waiting, async () => {
    try {
      requireSamePorts(context);
      keepPorts(paths, context.ports);
      await bringUp(context, stack, options, (error) => failing.abort(error));
      return { stack, context };
    } catch (error) {
      progress.end();
      if (context.started.size > 0) progress.event('stack', 'stopping what was started');
      await stopStarted(context);
      throw signal.reason ?? error;
    } finally {
      progress.end();
    }
  });
}

type Fail = (error: unknown) => void;

async function bringUp(
  context: Context,
  stack: Record<string, string>,
  options: UpOptions,
  fail: Fail,
): Promise<void> {
  const services = options.partsOnly ? [] : servicesWithout(options.without ?? []);
  requireMains(context.paths.repo, services);
  const inContainers = await engineAnswers(options.env ?? process.env);
  if (inContainers) {
    await requirePlaces(context, services);
    await startCompose(context, stack);
  } else {
    requireData(context.paths, options.partsOnly ?? false);
    const servers = parts.filter((part) => part.kind === 'server' || part.kind === 'edge');
    await requirePlaces(context, [...servers, ...services]);
    await startServers(context, stack, fail);
  }
  for (const step of [
    ...(options.afterServers ?? []),
    ...(options.partsOnly ? [] : (options.beforeServices ?? [])),
  ]) {
    await runStep(context, step, stack);
  }
  if (services.length > 0 && !inContainers) notePrepared(context.paths);
  await allOf(
    services.map((part) => startService(context, part, stack)),
    fail,
  );
}

/** A step knows nothing of signals: it is left behind when an interrupt comes. */
async function runStep(
  { progress, signal }: Context,
  step: Step,
  stack: Record<string, string>,
): Promise<void> {
  signal.throwIfAborted();
  progress.busy(step.name, 'running');
  const begun = Date.now();
  const work = step.run(stack, (text) => progress.event(step.name, text));
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  await Promise.race([work.catch((error) => Promise.reject(stepFailure(step, error))), aborted]);
  progress.busy(step.name, undefined);
  progress.event(step.name, `done (${Date.now() - begun} ms)`);
}

function stepFailure(step: Step, error: unknown): Error {
  if (isFailure(error)) return error;
  const reason = error instanceof Error ? error.message || error.name : String(error);
  const remedy = 'Look at the logs of the servers (npx emulsion status names them); DEBUG=1 shows the place.';
  return failure(`The step ${step.name} failed: ${reason}`, remedy, error);
}

async function startServers(context: Context, stack: Record<string, string>, fail: Fail): Promise<void> {
  const cache: Cache = { folder: context.paths.cache, progress: context.progress, signal: context.signal };
  const database = startPostgres(context).then(() => ensureDatabases(context.paths, context.ports));
  const registry = Promise.all([installRegistry(cache), database]).then(([folder]) =>
    startRegistry(context, folder),
  );
  const programs = debianPrograms(cache);
  await allOf(
    [
      database,
      registry,
      installKafka(cache).then((folder) => startKafka(context, folder)),
      installS3(cache).then((folder) => startS3(context, folder)),
      programs.redis.then((found) => startRedis(context, found['redis-server']!)),
      programs.nginx.then((found) => startNginx(context, found.nginx!, stack.S3_BUCKET!)),
      programs.ffmpeg,
    ],
    fail,
  );
}

/** A home has one stack: what runs must not be taken for what is asked for, nor nginx be led to other ports. */
function requireSamePorts({ paths, ports }: Context): void {
  const kept = keptPorts(paths);
  const moved = Object.keys(kept ?? {}).find((key) => kept![key] !== ports[key]);
  if (!moved || !parts.some(({ name }) => running(paths, name))) return;
  throw failure(
    `The stack of ${paths.home} runs with ${moved} ${kept![moved]}, not ${ports[moved]}.`,
    `Leave ${moved} as it is, or stop the stack first: npx emulsion down`,
  );
}

/** A port that somebody else holds is told before anything is downloaded or started. */
async function requirePlaces({ paths, ports }: Context, wanted: readonly Part[]): Promise<void> {
  for (const part of wanted.filter(({ name }) => !running(paths, name))) {
    await killOrphans(paths, part.name);
    await requireFreePorts(part, ports);
  }
}

function debianPrograms(cache: Cache) {
  const [redis, nginx, ffmpeg] = ['redis', 'nginx', 'ffmpeg'].map((part) => findOrUnpack(cache, part));
  return { redis: redis!, nginx: nginx!, ffmpeg: ffmpeg! };
}

/** Like Promise.all, but the first failure stops the others, and it ends only when all have ended. */
async function allOf(work: Promise<unknown>[], fail: Fail): Promise<void> {
  const results = await Promise.allSettled(
    work.map((one) =>
      one.catch((error) => {
        fail(error);
        throw error;
      }),
    ),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
