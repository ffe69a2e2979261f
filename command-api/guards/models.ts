import type { PositionToken } from '../../platform/log/position.ts';
import type { Serving } from '../../platform/postgres/serving.ts';
import type { Waiter } from '../../platform/postgres/waiter.ts';
import { modelTopics } from '../../schemas/models.ts';
import type { ModelName } from '../../schemas/route.ts';
import { problem } from './problem.ts';

/** The read models as commands use them: which version is served, and whether it has what the caller has done. */
export interface Models {
  /** The Postgres schema with the served version's tables. */
  schema(model: ModelName): string;
  /** Waits until these models have applied the caller's own last writes (DESIGN §4). Throws position_timeout. */
  caughtUp(models: readonly ModelName[], position: PositionToken | null): Promise<void>;
}

export function openModels(serving: Serving, waiter: Waiter): Models {
  const served = (model: ModelName) => {
    const found = serving.snapshot().get(model);
    if (!found) throw problem('dependency_unavailable', `The ${model} are not projected yet.`);
    return found;
  };
  return {
    schema: (model) => served(model).schema,
    async caughtUp(models, position) {
      if (!position) return;
      const targets = models.map((model) => ({
        consumer: served(model).consumer,
        topics: modelTopics[model],
      }));
      await waiter.wait(targets, position.positions);
    },
  };
}
