import { listen } from '../../../platform/postgres/listen.ts';
import { controlChannel } from '../../../platform/postgres/serving.ts';
import { newestOf, type Projection } from '../projection.ts';
import type { Engine, RunningModel } from '../runner.ts';
import { installFirst } from '../versions.ts';
import { openFleet } from './fleet.ts';

export interface ControlOptions {
  engine: Engine;
  projections: readonly Projection[];
  /** Of this process' role: it listens there. */
  databaseUrl: string;
}

export interface Control {
  /** The builds that this process projects now. */
  running(): RunningModel[];
  close(): Promise<void>;
}

const lookEveryMs = 1_000;

/**
 * Makes this process do what the rows of the engine say: project the builds that there are. It looks when it is told
 * to, and each second in case that was lost.
 */
export async function openControl({ engine, projections, databaseUrl }: ControlOptions): Promise<Control> {
  const fleet = openFleet(engine, projections);
  for (const { model } of newestOf(projections)) await installFirst(engine.pool, model);
  await fleet.reconcile();

  let closed = false;
  let wake: () => void = () => {};
  const looking = async (): Promise<void> => {
    while (!closed) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, lookEveryMs).unref();
      });
      if (closed) return;
      await fleet
        .reconcile()
        .catch((error) => engine.log.warn({ err: error }, 'the rows of the engine could not be looked at'));
    }
  };
  const ended = looking();
  const listener = listen(databaseUrl, {
    name: 'control',
    channels: { [controlChannel]: () => wake() },
    connected: () => wake(),
  });
  return {
    running: fleet.running,
    async close() {
      closed = true;
      wake();
      await ended;
      await listener.close();
      await fleet.close();
    },
  };
}
