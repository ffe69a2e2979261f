import { failure } from '../../../deploy/native/failure.ts';
import type { Queryable } from '../../../platform/postgres/pool.ts';
import type { Pair, Side } from './ledger.ts';

/** How far the copy of each topic is proved: where the next run goes on. */
export type CopyState = Map<string, { old: Side; new: Side }>;

const nameOf = (prefix: string): string => `generation ${prefix}`;

/** What runs before have proved of the copy into the generation of that prefix; empty at first. */
export async function loadState(db: Queryable, prefix: string): Promise<CopyState> {
  const { rows } = await db.query('SELECT value FROM engine.setting WHERE name = $1', [nameOf(prefix)]);
  const saved = rows[0] ? (JSON.parse(rows[0].value.toString()) as [string, Saved][]) : [];
  return new Map(saved.map(([topic, sides]) => [topic, { old: sideOf(sides.old), new: sideOf(sides.new) }]));
}

export async function saveState(db: Queryable, prefix: string, state: CopyState): Promise<void> {
  const saved = [...state].map(([topic, sides]) => [topic, { old: plain(sides.old), new: plain(sides.new) }]);
  await db.query(
    `INSERT INTO engine.setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    [nameOf(prefix), Buffer.from(JSON.stringify(saved))],
  );
}

export async function forgetState(db: Queryable, prefix: string): Promise<void> {
  await db.query('DELETE FROM engine.setting WHERE name = $1', [nameOf(prefix)]);
}

interface SavedSide {
  at: number[];
  pairs: [string, Pair][];
}

interface Saved {
  old: SavedSide;
  new: SavedSide;
}

function plain({ at, pairs }: Side): SavedSide {
  return { at, pairs: [...pairs] };
}

function sideOf({ at, pairs }: SavedSide): Side {
  return { at, pairs: new Map(pairs) };
}

/** Which log this database goes with since its generation was changed; null: the first one. */
export interface Generation {
  prefix: string;
  partitions: number;
  since: string;
}

const current = 'generation';

async function readGeneration(db: Queryable): Promise<Generation | null> {
  const { rows } = await db.query('SELECT value FROM engine.setting WHERE name = $1', [current]);
  return rows[0] ? (JSON.parse(rows[0].value.toString()) as Generation) : null;
}

/** Refuses an environment that names another log than this database goes with: two truths would grow. */
export async function mustBeCurrent(
  db: Queryable,
  { prefix, partitions }: { prefix: string; partitions: number },
): Promise<void> {
  const known = await readGeneration(db);
  if (!known || (known.prefix === prefix && known.partitions === partitions)) return;
  throw failure(
    `This database goes with the log "${known.prefix}" of ${known.partitions} partitions since ${known.since}, and the environment names "${prefix}" of ${partitions}.`,
    `Set EMULSION_PREFIX=${known.prefix} and EMULSION_PARTITIONS=${known.partitions}.`,
  );
}

export async function writeGeneration(db: Queryable, generation: Generation): Promise<void> {
  await db.query(
    `INSERT INTO engine.setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    [current, Buffer.from(JSON.stringify(generation))],
  );
}
