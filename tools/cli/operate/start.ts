import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Up } from '../../../deploy/native/up.ts';

export function register(program: Command): void {
  program
    .command('start')
    .description('start the whole stack, play a small demo world through its API, and say where to look')
    .option('--exit', 'stop again at the end what this started')
    .option('--without <service...>', 'leave services out')
    .action((options: StartOptions) => start(options));
}

type StartOptions = { exit?: boolean; without?: string[] };
/** What tools/load/demo.ts gives: a sentence and its figure for each thing that happened. */
type Demo = {
  playDemo: (world: { publicUrl: string; log: (text: string) => void }) => Promise<Record<string, unknown>>;
};

/** Whatever goes wrong, or Ctrl-C: what this run started is stopped, what ran before goes on. */
async function start(options: StartOptions): Promise<void> {
  const { up } = await import('../../../deploy/native/up.ts');
  const { stopStarted } = await import('../../../deploy/native/down.ts');
  const { createProgress } = await import('../../../deploy/native/progress.ts');
  const { afterServers, beforeServices } = await import('../../stack/steps.ts');
  const { untilInterrupted } = await import('../../stack/interrupt.ts');
  const progress = createProgress();
  await untilInterrupted(async (signal) => {
    const running = await up({
      without: options.without,
      afterServers: afterServers(),
      beforeServices: beforeServices(),
      signal,
      progress,
    });
    try {
      const report = await orAborted(
        playDemo(running, (text) => progress.event('demo', text)),
        signal,
      );
      progress.end();
      console.log(summary(running, report));
    } catch (error) {
      await stopStarted(running.context);
      throw error;
    }
    if (options.exit) await stopStarted(running.context);
    progress.end();
    console.log(
      options.exit ? '\nEverything this run started is stopped.' : '\nStop it with: npx emulsion down',
    );
  });
}

async function playDemo(
  { stack, context }: Up,
  log: (text: string) => void,
): Promise<Record<string, unknown>> {
  const file = join(context.paths.repo, 'tools/load/demo.ts');
  if (!existsSync(file)) return {};
  const { playDemo: play } = (await import(file)) as Demo;
  return play({ publicUrl: stack.PUBLIC_URL!, log });
}

function summary({ stack, context }: Up, report: Record<string, unknown>): string {
  const plain = Object.entries(report).filter(([, value]) =>
    ['string', 'number', 'boolean'].includes(typeof value),
  );
  const where: [string, string][] = [
    ['the API', stack.PUBLIC_URL!],
    ['schemas', stack.SCHEMA_REGISTRY_URL!],
    ['topics', stack.KAFKA_BROKERS!],
    ['logs', context.paths.logs],
    ['parts', 'npx emulsion status'],
  ];
  const rows = [...plain.map(([name, value]) => [spaced(name), String(value)] as const), ...where];
  const width = Math.max(...rows.map(([name]) => name.length));
  return `\nemulsion is running.\n\n${rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n')}`;
}

/** followsMade → "follows made". */
function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}
