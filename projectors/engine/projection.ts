import type { Client } from '../../platform/postgres/pool.ts';
import type { Installed } from './apply.ts';
import type { Change, Model } from './model.ts';
import { createModelHandler, type Engine, type RunningModel, runInstalled } from './runner.ts';

/** A model with how it is run, and what it does beside its rows. */
export interface Projection {
  model: Model;
  /** Its rows are committed before its position is (timelines, DESIGN §2 rule 3). */
  rowsAhead?: true;
  /** Applies the log to one build for the life of the process. */
  run(engine: Engine, installed: Installed): Promise<RunningModel>;
  /** What the bulk path of a rebuild leaves to do, in the transaction that ends it. */
  filled?(client: Client, installed: Installed): Promise<void>;
  /** Why readers can not be led to this build yet, in words; null when they can. */
  pending?(engine: Engine, installed: Installed): Promise<string | null>;
  /**
   * Brings what stands outside Postgres to rows that a repair has set right, before they are committed: whoever dies in
   * between does both again. `client` sees them.
   */
  repaired?(engine: Engine, installed: Installed, changes: readonly Change[], client: Client): Promise<void>;
  /** Removes what a dropped build has outside Postgres. */
  dropped?(engine: Engine, version: number): Promise<void>;
}

/** A model of Postgres tables and nothing else. */
export function plainProjection(model: Model): Projection {
  return {
    model,
    run: async (engine, installed) => runInstalled(engine, installed, createModelHandler(engine, installed)),
  };
}

/** The one projection with this name and definition, if this code has it. */
export function projectionOf(
  projections: readonly Projection[],
  model: string,
  definition: number,
): Projection | undefined {
  return projections.find((p) => p.model.name === model && p.model.version === definition);
}

/** The newest definition of each model. */
export function newestOf(projections: readonly Projection[]): Projection[] {
  return [...Map.groupBy(projections, (p) => p.model.name).values()].map(
    (group) => group.toSorted((a, b) => b.model.version - a.model.version)[0]!,
  );
}
