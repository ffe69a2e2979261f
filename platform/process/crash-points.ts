import { writeSync } from 'node:fs';

/**
 * A named place where a test ends or freezes this process, so that what is promised about dying there can be proved:
 * EMULSION_CRASH_POINT=<name>:kill or <name>:freeze. Without that key it does nothing. The name is written to stderr
 * first, so that a test can tell a point that was reached from one that never was.
 */
export function crashPoint(name: string): void {
  const signal = armed.get(name);
  if (!signal) return;
  // Once frozen and continued, the process goes on as if nothing had been.
  armed.delete(name);
  writeSync(2, `crash point ${name}\n`);
  process.kill(process.pid, signal);
}

const signals: Record<string, NodeJS.Signals> = { kill: 'SIGKILL', freeze: 'SIGSTOP' };
const armed = armedBy(process.env.EMULSION_CRASH_POINT);

function armedBy(text: string | undefined): Map<string, NodeJS.Signals> {
  const [name = '', mode = 'kill'] = text?.split(':') ?? [];
  const signal = signals[mode];
  return new Map(name && signal ? [[name, signal]] : []);
}
