import { consumerOf } from '../../../platform/postgres/serving.ts';
import { type Projection, projectionOf } from '../projection.ts';
import { type Engine, openBuild, type RunningModel } from '../runner.ts';
import { readVersions } from '../versions.ts';

/** The builds that this process projects: every one that is to be projected and whose code it has. */
export interface Fleet {
  running(): RunningModel[];
  /** Starts what has come and ends what has gone, by engine.version. */
  reconcile(): Promise<void>;
  close(): Promise<void>;
}

export function openFleet(engine: Engine, projections: readonly Projection[]): Fleet {
  const running = new Map<string, RunningModel>();
  return {
    running: () => [...running.values()],
    async reconcile() {
      const versions = await readVersions(engine.pool);
      const wanted = versions.filter(({ state }) => state === 'projected');
      const names = new Set(wanted.map(({ model, version }) => consumerOf(model, version)));
      for (const { model, version, definition } of wanted) {
        const consumer = consumerOf(model, version);
        const projection = projectionOf(projections, model, definition);
        if (!projection || running.has(consumer)) continue;
        const installed = await openBuild(engine.pool, projection.model, version);
        running.set(consumer, await projection.run(engine, installed));
      }
      for (const [consumer, model] of running) {
        if (names.has(consumer)) continue;
        running.delete(consumer);
        await model.close();
      }
    },
    async close() {
      await Promise.all([...running.values()].map((model) => model.close()));
    },
  };
}
