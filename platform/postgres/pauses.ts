import { listen } from './listen.ts';
import type { Queryable } from './pool.ts';
import { controlChannel } from './serving.ts';

/** The models whose projection an operator has halted. */
export interface Pauses {
  isPaused(model: string): boolean;
  close(): Promise<void>;
}

const lookEveryMs = 1_000;

export async function readPauses(pool: Queryable): Promise<Set<string>> {
  const { rows } = await pool.query('SELECT model FROM engine.pause');
  return new Set(rows.map((row) => row.model as string));
}

/** engine.pause, told of at once and looked at each second in case that was lost. What it said last stands in an outage. */
export async function openPauses(databaseUrl: string, pool: Queryable): Promise<Pauses> {
  let paused = await readPauses(pool);
  const look = (): void => {
    readPauses(pool).then(
      (now) => {
        paused = now;
      },
      () => {},
    );
  };
  const listener = listen(databaseUrl, {
    name: 'pauses',
    channels: { [controlChannel]: look },
    connected: look,
  });
  const timer = setInterval(look, lookEveryMs);
  timer.unref();
  return {
    isPaused: (model) => paused.has(model),
    async close() {
      clearInterval(timer);
      await listener.close();
    },
  };
}
