import { partitionOf } from '../../platform/log/partition.ts';
import type { PositionToken } from '../../platform/log/position.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';
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
  /**
   * Waits until the model has all that the log holds of the key by now, whoever wrote it: for what must not be decided
   * on what was so before. Throws position_timeout, key_parked while a record of the key is not applied, or
   * dependency_unavailable while the broker can't be asked.
   */
  caughtUpWithLog(model: ModelName, topic: string, key: string): Promise<void>;
}

export interface ModelsParts {
  pool: Queryable;
  serving: Serving;
  waiter: Waiter;
  /** The next offset to be written of each partition of a topic. */
  heads(topic: string): Promise<bigint[]>;
  partitions: number;
}

export function openModels({ pool, serving, waiter, heads, partitions }: ModelsParts): Models {
  const targetOf = (model: ModelName) => ({ consumer: served(model).consumer, topics: modelTopics[model] });
  const served = (model: ModelName) => {
    const found = serving.snapshot().get(model);
    if (!found) throw problem('dependency_unavailable', `The ${model} are not projected yet.`);
    return found;
  };
  return {
    schema: (model) => served(model).schema,
    async caughtUp(models, position) {
      if (!position) return;
      await waiter.wait(models.map(targetOf), position.positions);
    },
    async caughtUpWithLog(model, topic, key) {
      const partition = partitionOf(key, partitions);
      const ends = await heads(topic).catch(() => {
        throw problem('dependency_unavailable', 'The log does not answer. Nothing was written; try again.');
      });
      const target = targetOf(model);
      await waiter.passed([target], [{ topic, partition, offset: ends[partition]! - 1n }]);
      const { rows } = await pool.query(
        'SELECT FROM engine.parked WHERE consumer = $1 AND topic = $2 AND partition = $3 AND key = $4 LIMIT 1',
        [target.consumer, topic, partition, key],
      );
      if (rows.length > 0) throw problem('key_parked', `${model} has parked what this is to be decided on.`);
    },
  };
}
