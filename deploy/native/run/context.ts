import type { Part } from '../../parts.ts';
import { failure } from '../failure.ts';
import type { Paths } from '../paths.ts';
import type { Ports } from '../ports.ts';
import { waitReady } from '../probe.ts';
import { type Command, isAlive, logFile, logTail, running, startDetached } from '../process.ts';
import type { Progress } from '../progress.ts';

/** What every starter is given. `started` collects the names this run started, so that a failed run can undo them. */
export type Context = {
  paths: Paths;
  ports: Ports;
  progress: Progress;
  started: Set<string>;
  /** Aborted by an interrupt, or by the first part that failed: nothing is started any more. */
  signal: AbortSignal;
};

export type LaunchOptions = { waitMs?: number; remedy?: string };

/**
 * Starts the part if it isn't running, and waits until it is ready. A part that ends or does not become ready
 * in time is an error that names it, the end of its log and the remedy.
 */
export async function launch(
  context: Context,
  part: Part,
  prepare: () => Promise<Omit<Command, 'name'>>,
  options: LaunchOptions = {},
): Promise<void> {
  const { paths, ports, progress, started } = context;
  const waitMs = options.waitMs ?? 60_000;
  const already = running(paths, part.name);
  const command = already ? undefined : await prepare();
  context.signal.throwIfAborted();
  progress.busy(part.name, already ? undefined : 'starting');
  if (command) started.add(part.name);
  const current = already ?? startDetached(paths, { name: part.name, ...command! });
  const begun = Date.now();
  const ready = await waitReady(part, ports, () => !context.signal.aborted && isAlive(current), waitMs);
  progress.busy(part.name, undefined);
  context.signal.throwIfAborted();
  if (!ready) throw notReady(context, part, isAlive(current), current.logStart, options.remedy);
  const ports_ = part.ports.map(({ key }) => ports[key]).join(', ');
  progress.event(
    part.name,
    already ? `already running on ${ports_}` : `ready on ${ports_} (${Date.now() - begun} ms)`,
  );
}

function notReady(context: Context, part: Part, alive: boolean, from: number, remedy?: string): Error {
  const log = logFile(context.paths, part.name);
  const tail = logTail(context.paths, part.name, from).replaceAll('\n', '\n    ');
  const what = alive ? 'did not become ready in time' : 'ended while starting';
  return failure(
    `${part.name} ${what}. The end of its log:\n    ${tail || '(nothing)'}`,
    remedy ?? `Read ${log}, remove the cause, and run this again.`,
  );
}
