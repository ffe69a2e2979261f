import { join } from 'node:path';
import { ensureBucket } from './bucket.ts';
import { engineAnswers, startCompose } from './compose.ts';
import { ensureDatabases } from './database.ts';
import { stop } from './down.ts';
import { stackEnvironment } from './environment.ts';
import type { Cache } from './install/cache.ts';
import { findOrUnpack } from './install/debian.ts';
import { installKafka, installRegistry } from './install/maven.ts';
import { installS3 } from './install/s3.ts';
import { withLock } from './lock.ts';
import { makeFolders, resolvePaths } from './paths.ts';
import { type Environment, resolvePorts } from './ports.ts';
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
  /** Run in order when all servers are ready, before the services start: migrations, topics, schemas. */
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
  const context: Context = { paths, ports: resolvePorts(env), progress, started: new Set() };
  const stack = stackEnvironment({ env });
  const waiting = () => progress.event('stack', 'waiting for another command that works on this stack');
  return withLock(join(paths.run, '.lock'), waiting, async () => {
    try {
      await abortable(bringUp(context, stack, options), options.signal);
      return { stack, context };
    } catch (error) {
      progress.end();
      if (context.started.size > 0) progress.event('stack', 'stopping what was started');
      await stop(context, (name) => context.started.has(name));
      throw error;
    } finally {
      progress.end();
    }
  });
}

async function bringUp(context: Context, stack: Record<string, string>, options: UpOptions): Promise<void> {
  const services = options.partsOnly ? [] : servicesWithout(options.without ?? []);
  requireMains(context.paths.repo, services);
  if (await engineAnswers(options.env ?? process.env)) await startCompose(context, stack);
  else await startServers(context, stack);
  for (const step of options.partsOnly ? [] : (options.beforeServices ?? [])) {
    context.progress.busy(step.name, 'running');
    await step.run(stack, (text) => context.progress.event(step.name, text));
    context.progress.busy(step.name, undefined);
  }
  await allOf(services.map((part) => startService(context, part, stack)));
}

async function startServers(context: Context, stack: Record<string, string>): Promise<void> {
  const cache: Cache = { folder: context.paths.cache, progress: context.progress };
  const database = startPostgres(context).then(() => ensureDatabases(context.paths, context.ports));
  const registry = Promise.all([installRegistry(cache), database]).then(([folder]) =>
    startRegistry(context, folder),
  );
  const programs = debianPrograms(cache);
  await allOf([
    database,
    registry,
    installKafka(cache).then((folder) => startKafka(context, folder)),
    installS3(cache)
      .then((folder) => startS3(context, folder))
      .then(() => ensureBucket(stack)),
    programs.redis.then((found) => startRedis(context, found['redis-server']!)),
    programs.nginx.then((found) => startNginx(context, found.nginx!, stack.S3_BUCKET!)),
    programs.ffmpeg.then((found) => giveFfmpeg(stack, found)),
  ]);
}

function debianPrograms(cache: Cache) {
  const [redis, nginx, ffmpeg] = ['redis', 'nginx', 'ffmpeg'].map((part) => findOrUnpack(cache, part));
  return { redis: redis!, nginx: nginx!, ffmpeg: ffmpeg! };
}

function giveFfmpeg(stack: Record<string, string>, found: Record<string, string>): void {
  stack.FFMPEG_PATH = process.env.FFMPEG_PATH || found.ffmpeg!;
  stack.FFPROBE_PATH = process.env.FFPROBE_PATH || found.ffprobe!;
}

/** Like Promise.all, but ends only when all have ended, so that nothing starts after the stopping began. */
async function allOf(work: Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
