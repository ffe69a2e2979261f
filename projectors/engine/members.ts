import { type Watch, watchConsumers } from '../../platform/log/watch.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';
import { isOpen, type RebuildRow, readRebuilds } from '../../platform/postgres/rebuilds.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import { createRebuildMetrics } from '../../platform/telemetry/projections.ts';
import { topics } from '../../schemas/topics.ts';
import type { Engine, RunningModel } from './runner.ts';

/** Builds under way, for metrics and health of the process that works on them. */
export interface RebuildWatch {
  report(db: Queryable): Promise<void>;
  troubles(): string[];
}

export function watchRebuilds(metrics: Metrics): RebuildWatch {
  const gauges = createRebuildMetrics(metrics);
  let open: RebuildRow[] = [];
  return {
    async report(db) {
      open = (await readRebuilds(db)).filter(isOpen);
      gauges.show(open);
    },
    troubles: () => open.map(({ model, version, state }) => `${model}.v${version} rebuilding: ${state}`),
  };
}

export interface ModelWatch extends Pick<Watch, 'close'> {
  /** One sentence for each build that is not as it should be; a rebuild under way is one of them. */
  troubles(): string[];
}

export interface ModelWatchOptions {
  engine: Engine;
  metrics: Metrics;
  databaseUrl: string;
  process: string;
  running(): readonly RunningModel[];
  rebuilds?: RebuildWatch | undefined;
}

/** Watches the builds that this process projects, and tells readers how fresh they are when nothing new comes. */
export async function watchModels(options: ModelWatchOptions): Promise<ModelWatch> {
  const { engine, running, rebuilds } = options;
  const { kafka, prefix, log, announcer } = engine;
  const watch = await watchConsumers({
    ...options,
    ...{ kafka, prefix, log, topics },
    consumers: running,
    fresh: announcer.fresh,
    alsoReport: rebuilds?.report,
  });
  const troubleOf = (model: RunningModel): string[] => {
    const trouble = watch.troubleOf(model);
    return trouble ? [`${model.consumer} ${trouble}`] : [];
  };
  return {
    troubles: () => [...running().flatMap(troubleOf), ...(rebuilds?.troubles() ?? [])],
    close: watch.close,
  };
}
