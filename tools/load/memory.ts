import { readFileSync } from 'node:fs';
import { resolvePaths } from '../../deploy/native/paths.ts';
import { childrenOf, running } from '../../deploy/native/process.ts';
import { parts } from '../../deploy/parts.ts';

/** Peak memory by part of the stack, megabytes. */
export type MemoryPeaks = Record<string, number>;

export interface MemoryWatch {
  /** Looks once more. */
  peaks(): MemoryPeaks;
  stop(): void;
}

const lookEveryMs = 5_000;

/**
 * Watches how large every part of this machine's native stack grows, the loader included. A part is all its processes,
 * and what they share counts once (proportional set size). Parts that run elsewhere, or as somebody whose memory may
 * not be looked at, are absent.
 */
export function watchMemory(): MemoryWatch {
  const paths = resolvePaths(process.env);
  const most: MemoryPeaks = {};
  const look = (): void => {
    const roots = parts.map(({ name }) => ({ name, pid: running(paths, name)?.pid }));
    for (const { name, pid } of [...roots, { name: 'loader', pid: process.pid }]) {
      const size = pid === undefined ? null : treeMb(pid);
      if (size !== null) most[name] = Math.max(most[name] ?? 0, size);
    }
  };
  const timer = setInterval(look, lookEveryMs);
  return {
    peaks() {
      look();
      return most;
    },
    stop: () => clearInterval(timer),
  };
}

function treeMb(root: number): number | null {
  let kilobytes = 0;
  for (const pids = [root]; pids.length > 0; ) {
    const pid = pids.pop()!;
    kilobytes += Number(/^Pss:\s+(\d+)/m.exec(readQuietly(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
    pids.push(...childrenOf(pid));
  }
  return kilobytes === 0 ? null : Math.round(kilobytes / 1_024);
}

/** '' of a process that has ended, or is somebody else's. */
function readQuietly(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
