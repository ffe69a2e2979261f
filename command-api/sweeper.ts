import type { Logger } from '../platform/telemetry/logger.ts';

export interface Sweeper {
  close(): void;
}

/** Milliseconds between two rounds. */
const everyMs = 60_000;
/** Batches of one round, so that a large backlog never hogs the database. */
const batchesPerRound = 20;

/** Deletes what has outlived its use, a few bounded batches a minute (DESIGN §2 rule 8). */
export function openSweeper(sweeps: Record<string, () => Promise<number>>, log: Logger): Sweeper {
  const round = async (): Promise<void> => {
    for (const [name, sweep] of Object.entries(sweeps)) {
      for (let batch = 0; batch < batchesPerRound; batch += 1) {
        const deleted = await sweep();
        if (deleted > 0) log.debug({ name, deleted }, 'swept');
        else break;
      }
    }
  };
  const timer = setInterval(
    () => round().catch((error) => log.warn({ err: error }, 'sweeping failed')),
    everyMs,
  );
  timer.unref();
  return { close: () => clearInterval(timer) };
}
