import { failure } from '../../deploy/native/failure.ts';
import type { Client, Pool } from '../../platform/postgres/pool.ts';
import { consumerOf } from '../../platform/postgres/serving.ts';
import type { Places } from './bytes/offsets.ts';
import { placesOf } from './bytes/offsets.ts';
import type { FactSpec } from './spec.ts';

/** One version of a model as it stands in the snapshot. */
export interface ModelState {
  model: string;
  version: number;
  definition: number;
  schema: string;
  /** Next offset by `topic/partition`; the rows hold exactly what lies before. */
  positions: Map<string, number>;
  /** Records that are held back and are in no row. */
  parked: Places;
}

/** A version with what is known of its definition. */
export interface Verified {
  spec: FactSpec;
  state: ModelState;
}

/** Rows and positions as of one moment: everything is read through `client`. */
export interface Snapshot {
  client: Client;
  /** Every version there is; `served` ones are what readers see. */
  versions: { model: string; version: number; definition: number; state: string; served: boolean }[];
  close(): Promise<void>;
}

/** Opens a REPEATABLE READ snapshot; it stays the same until it is closed. */
export async function openSnapshot(pool: Pool): Promise<Snapshot> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query(
      `SELECT model, v.version, definition, state, s.version IS NOT NULL AS served
       FROM engine.version v LEFT JOIN engine.serving s USING (model, version) ORDER BY 1, 2`,
    );
    return { client, versions: rows, close: () => endSnapshot(client) };
  } catch (error) {
    await endSnapshot(client);
    throw error;
  }
}

/** Ends the transaction that a look was taken in. */
export async function endSnapshot(client: Client): Promise<void> {
  const broken = await client.query('ROLLBACK').then(
    () => false,
    () => true,
  );
  client.release(broken);
}

/** How far a version is, and what it holds back. */
export async function readState(
  client: Client,
  { model, version, definition }: { model: string; version: number; definition: number },
): Promise<ModelState> {
  const consumer = consumerOf(model, version);
  const found = await client.query(
    'SELECT schema_name FROM engine.version WHERE model = $1 AND version = $2',
    [model, version],
  );
  const positions = await client.query(
    'SELECT topic, partition, position FROM engine.position WHERE consumer = $1',
    [consumer],
  );
  const parked = await client.query(
    'SELECT topic, partition, "offset" FROM engine.parked WHERE consumer = $1',
    [consumer],
  );
  const offsets: Record<string, number[]> = {};
  for (const { topic, partition, offset } of parked.rows) {
    const id = `${topic}/${partition}`;
    offsets[id] ??= [];
    offsets[id].push(Number(offset));
  }
  return {
    model,
    version,
    definition,
    schema: found.rows[0].schema_name,
    positions: new Map(positions.rows.map((row) => [`${row.topic}/${row.partition}`, Number(row.position)])),
    parked: placesOf(offsets),
  };
}

/** Which versions are to be verified, and why those that were asked for are not. */
export function chooseVersions(
  { versions }: Snapshot,
  facts: readonly FactSpec[],
  asked: { models: readonly string[]; version?: number },
): { chosen: Chosen[]; findings: string[] } {
  if (asked.version !== undefined) return chooseOne(versions, facts, asked.models[0]!, asked.version);
  const names = [...new Set(facts.map(({ model }) => model))];
  const chosen: Chosen[] = [];
  const findings: string[] = [];
  for (const model of names.filter((name) => asked.models.length === 0 || asked.models.includes(name))) {
    const shown = shownOf(versions, facts, model);
    if (shown)
      chosen.push({ spec: factsOf(facts, shown), version: shown.version, definition: shown.definition });
    else if (asked.models.length > 0 || !isUnserved(facts, model))
      findings.push(
        `${model} has no version that ${isUnserved(facts, model) ? 'is projected' : 'is served'}.`,
      );
  }
  const unknown = versions.filter(({ model, served }) => served && !names.includes(model));
  findings.push(...unknown.map(({ model }) => `${model} is served, but verify knows nothing of it.`));
  return { chosen, findings };
}

export interface Chosen {
  spec: FactSpec;
  version: number;
  definition: number;
}

function chooseOne(
  versions: Snapshot['versions'],
  facts: readonly FactSpec[],
  model: string,
  version: number,
): { chosen: Chosen[]; findings: string[] } {
  const own = versions.find((known) => known.model === model && known.version === version);
  if (!own)
    throw failure(
      `There is no version ${version} of ${model}.`,
      'emulsion projections lists those there are.',
    );
  return { chosen: [{ spec: factsOf(facts, own), version, definition: own.definition }], findings: [] };
}

/** The version of a model that readers see; of one that nobody reads, the newest that is projected. */
function shownOf(versions: Snapshot['versions'], facts: readonly FactSpec[], model: string) {
  const own = versions.filter((version) => version.model === model);
  if (!isUnserved(facts, model)) return own.find(({ served }) => served);
  return own.findLast(({ state }) => state === 'projected');
}

function isUnserved(facts: readonly FactSpec[], model: string): boolean {
  return facts.some((spec) => spec.model === model && spec.unserved);
}

/** What is said of this definition; one that nobody has said again must come out as the newest that was. */
export function factsOf(
  facts: readonly FactSpec[],
  { model, definition }: { model: string; definition: number },
): FactSpec {
  const own = facts.filter((spec) => spec.model === model).sort((a, b) => b.definition - a.definition);
  return own.find((spec) => spec.definition === definition) ?? own[0]!;
}
