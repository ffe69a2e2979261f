import { type Part, parts } from '../parts.ts';
import { stopCompose } from './compose.ts';
import { forgetPorts } from './kept-ports.ts';
import { killOrphans, running, type StopHow, stopProcess } from './process.ts';
import type { Context } from './run/context.ts';

/** nginx first, so that nobody is let in; then those who write; at last what they write to. */
const serverOrder = ['registry', 'kafka', 'redis', 's3', 'postgres'];

const how: Record<string, StopHow> = {
  service: { signal: 'SIGTERM', waitMs: 10_000 },
  kafka: { signal: 'SIGTERM', waitMs: 30_000 },
  // "Fast": sessions are ended, everything is written, the next start needs no recovery.
  postgres: { signal: 'SIGINT', waitMs: 30_000 },
};

/** Stops those chosen that are running, in an order that loses nothing. Gives their names. */
export async function stop(
  context: Pick<Context, 'paths' | 'progress'>,
  chosen: (name: string) => boolean = () => true,
): Promise<string[]> {
  const stopped: string[] = [];
  for (const group of stopGroups()) {
    await Promise.all(
      group.filter((part) => chosen(part.name)).map((part) => stopOne(context, part, stopped)),
    );
  }
  if (!parts.some(({ name }) => running(context.paths, name))) forgetPorts(context.paths);
  return stopped;
}

/** Stops what this run started, and nothing that ran before it. */
export async function stopStarted(context: Context): Promise<void> {
  await stop(context, (name) => context.started.has(name));
  if (context.started.has('compose')) await stopCompose(context.paths, context.ports);
}

function stopGroups(): Part[][] {
  const kind = (wanted: Part['kind']) => parts.filter((part) => part.kind === wanted);
  const servers = serverOrder.map((name) => parts.filter((part) => part.name === name));
  return [kind('edge'), kind('service'), ...servers];
}

async function stopOne(
  { paths, progress }: Pick<Context, 'paths' | 'progress'>,
  part: Part,
  stopped: string[],
) {
  if (!running(paths, part.name)) {
    await killOrphans(paths, part.name);
    return;
  }
  progress.busy(part.name, 'stopping');
  await stopProcess(
    paths,
    part.name,
    how[part.name] ?? how[part.kind] ?? { signal: 'SIGTERM', waitMs: 10_000 },
  );
  progress.busy(part.name, undefined);
  progress.event(part.name, 'stopped');
  stopped.push(part.name);
}
