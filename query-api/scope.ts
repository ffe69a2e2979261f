import type { Opening, RoomHooks } from '../platform/http/bind.ts';
import type { HttpContract } from '../platform/http/contract.ts';
import { decodePosition } from '../platform/log/position.ts';
import type { Queryable } from '../platform/postgres/pool.ts';
import type { ServedModel, Serving } from '../platform/postgres/serving.ts';
import type { Waiter } from '../platform/postgres/waiter.ts';
import { modelTopics } from '../schemas/models.ts';
import type { ModelName } from '../schemas/route.ts';
import { type Cursors, openCursors } from './cursor.ts';
import { problem } from './problem.ts';
import type { RowKind, Rows } from './rows.ts';

/** What one request reads from: the versions of the models as they were when it came, so that none are mixed. */
export interface Scope {
  db: Queryable;
  viewerId: string | null;
  /** Where the served version of a model is. Throws dependency_unavailable when it has none yet. */
  model(name: ModelName): ServedModel;
  /** The Postgres schema of a model, to name its tables by. */
  schema(name: ModelName): string;
  /** Rows by key, asked for in one query with what other requests want at the same moment. */
  ask<V>(kind: RowKind<V>, keys: readonly string[]): Promise<Map<string, V>>;
  /** The same, remembered while the model stands still. */
  recall<V>(kind: RowKind<V>, keys: readonly string[]): Promise<Map<string, V>>;
  cursors: Cursors;
  /** Everything from before this is in all models of the route, milliseconds; null while nothing is known. */
  asOf: number | null;
}

export interface ScopeParts {
  db: Queryable;
  rows: Rows;
  serving: Serving;
  waiter: Waiter;
  /** Signs position tokens, and seals cursors. */
  positionKey: Buffer;
}

/** What every request of this room has: its snapshot, taken after the wait for X-Min-Position, and X-As-Of. */
export function scopeHooks(parts: ScopeParts): Omit<RoomHooks<Scope>, 'verify'> {
  const cursors = openCursors(parts.positionKey);
  return {
    async open(contract, { viewer, header }) {
      const models = parts.serving.snapshot();
      const reads = servedOf(contract, models);
      await waitFor(parts, reads, header);
      return {
        db: parts.db,
        viewerId: viewer?.userId ?? null,
        model: (name) => servedModel(models, name),
        schema: (name) => servedModel(models, name).schema,
        ask: (kind, keys) => parts.rows.ask(kind, servedModel(models, kind.model), keys),
        recall: (kind, keys) => parts.rows.recall(kind, servedModel(models, kind.model), keys),
        cursors,
        asOf: asOfAll(reads, parts.waiter),
      };
    },
    headers: (_contract, { asOf }): Record<string, string> =>
      asOf === null ? {} : { 'X-As-Of': new Date(asOf).toISOString() },
  };
}

type Served = ServedModel & { name: ModelName };

function servedOf(contract: HttpContract, models: ReadonlyMap<string, ServedModel>): Served[] {
  return (contract.reads as readonly ModelName[]).map((name) => ({ name, ...servedModel(models, name) }));
}

function servedModel(models: ReadonlyMap<string, ServedModel>, name: ModelName): ServedModel {
  const found = models.get(name);
  if (!found)
    throw problem(
      'dependency_unavailable',
      `The ${name} views are not there yet; are the projectors running?`,
    );
  return found;
}

async function waitFor(
  { waiter, positionKey }: ScopeParts,
  reads: Served[],
  header: Opening['header'],
): Promise<void> {
  const text = header('x-min-position');
  if (text === '') return;
  const { positions } = decodePosition(text, positionKey);
  const targets = reads.map(({ name, consumer }) => ({ consumer, topics: modelTopics[name] }));
  await waiter.wait(targets, positions);
}

/** The oldest of the models read: newer facts may be missing from what it tells. */
function asOfAll(reads: Served[], waiter: Waiter): number | null {
  const times = reads.map(({ consumer }) => waiter.asOf(consumer)).filter((time) => time > 0);
  return times.length === 0 ? null : Math.min(...times);
}
