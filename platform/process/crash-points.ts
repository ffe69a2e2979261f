import { writeSync } from 'node:fs';

/**
 * A named place where a test ends or freezes this process, so that what is promised about dying there can be proved:
 * EMULSION_CRASH_POINT=<name>:<mode>, where the mode is `kill` (unless said), `freeze`, `abort` as a crash in native
 * code does it, or `oom`, which fills the heap. With `:later` behind the mode it waits for a SIGUSR2, so that it comes
 * in the middle of what goes on. Without that key it does nothing. The name is written to stderr first, so that a test
 * can tell a point that was reached from one that never was.
 */
export function crashPoint(name: string): void {
  const end = armed.get(name);
  if (!end) return;
  // Once frozen and continued, the process goes on as if nothing had been.
  armed.delete(name);
  writeSync(2, `crash point ${name}\n`);
  end();
}

/** Whether any point is armed: for places that have a name for each of many things. */
export function isArmed(): boolean {
  return armed.size > 0;
}

const ends: Record<string, () => void> = {
  kill: () => process.kill(process.pid, 'SIGKILL'),
  freeze: () => process.kill(process.pid, 'SIGSTOP'),
  abort: () => process.abort(),
  oom: fillHeap,
};
const armed = new Map<string, () => void>();
arm(process.env.EMULSION_CRASH_POINT);

function arm(text: string | undefined): void {
  const [name = '', mode = 'kill', when = 'now'] = text?.split(':') ?? [];
  const end = ends[mode];
  if (!name || !end) return;
  if (when === 'later') process.once('SIGUSR2', () => armed.set(name, end));
  else armed.set(name, end);
}

function fillHeap(): never {
  for (const hoard: number[][] = []; ; ) hoard.push(Array.from({ length: 100_000 }, (_, i) => i + 0.5));
}
