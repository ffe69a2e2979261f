import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFlags, type Part, parts } from '../../parts.ts';
import { serviceEnvironment } from '../environment.ts';
import { failure } from '../failure.ts';
import { type Context, launch } from './context.ts';

/** Our own processes, without those named in `except`. A name that none has is refused: it would be started. */
export function servicesWithout(except: readonly string[]): Part[] {
  const services = parts.filter((part) => part.kind === 'service');
  const names = services.map(({ name }) => name);
  const unknown = except.find((name) => !names.includes(name));
  if (unknown) throw failure(`There is no service ${unknown}.`, `There are ${names.join(', ')}.`);
  return services.filter(({ name }) => !except.includes(name));
}

/** A service whose main file is missing is told before anything is started. */
export function requireMains(repo: string, services: readonly Part[]): void {
  const missing = services.find((part) => !existsSync(join(repo, part.main!)));
  if (!missing) return;
  throw failure(
    `${missing.name} can't be started: ${missing.main} does not exist.`,
    `Check the clone, or leave it out with --without ${missing.name}.`,
  );
}

/** A service that dies sooner than this after `up` is a start that failed; one that dies later is started again. */
const settledSeconds = 15;

export async function startService(
  context: Context,
  part: Part,
  stack: Record<string, string>,
): Promise<void> {
  const { paths, ports } = context;
  await launch(context, part, async () => ({
    file: 'sh',
    args: [
      join(import.meta.dirname, '../keep.sh'),
      String(settledSeconds),
      process.execPath,
      ...nodeFlags,
      join(paths.repo, part.main!),
    ],
    cwd: paths.repo,
    env: serviceEnvironment(part, stack, ports),
  }));
}
