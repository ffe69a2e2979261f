import { type Client, type Pool, type Queryable, transaction } from '../../../platform/postgres/pool.ts';
import { controlChannel, schemaOf } from '../../../platform/postgres/serving.ts';
import type { Installed } from '../apply.ts';
import type { Model } from '../model.ts';
import type { Projection } from '../projection.ts';
import { readTables } from '../tables.ts';
import { createVersion, lockVersions } from '../versions.ts';
import { createStaging } from './staging.ts';

export type BuildState =
  | 'waiting'
  | 'filling'
  | 'indexing'
  | 'catching_up'
  | 'verifying'
  | 'ready'
  | 'switched'
  | 'cancelled'
  | 'failed';

/** A row of engine.rebuild, as far as who works on it needs it. */
export interface Build {
  model: string;
  version: number;
  definition: number;
  state: BuildState;
  autoSwitch: boolean;
  /** Of its holders, one after the other, while it was filled and without getting further. */
  deaths: number;
  detail: string | null;
}

export const openStates: readonly BuildState[] = [
  'waiting',
  'filling',
  'indexing',
  'catching_up',
  'verifying',
  'ready',
];
/** What a process works on; a `ready` build only waits to be switched. */
const workedStates: readonly BuildState[] = ['filling', 'indexing', 'catching_up', 'verifying'];

/** An operator asked for what can not be done as things stand; the message says so in a sentence. */
export class Refused extends Error {
  override name = 'Refused';
}

/** Somebody else works on this build now, or it was cancelled: nothing more may be written for it. */
export class BuildLost extends Error {
  override name = 'BuildLost';
}

export interface BuildOrder {
  askedBy: string;
  /** Leads readers to it once it is verified; otherwise an operator does. */
  autoSwitch: boolean;
  /** Not when some version of this definition, or a newer one, is there already: two processes of one deploy. */
  once?: true;
}

/**
 * Enters a build of a model's current code in the caller's transaction, and makes its empty tables. Throws Refused while
 * another is under way.
 */
export async function orderBuild(client: Client, projection: Projection, order: BuildOrder): Promise<number> {
  const { model } = projection;
  if (model.unserved)
    throw new Refused(`${model.name} has effects outside, which never replay: it can not be built again.`);
  await lockVersions(client, model.name);
  const open = await openBuildOf(client, model.name);
  if (open) throw new Refused(alreadyUnderWay(open));
  if (order.once && (await isBuilt(client, model))) throw new Refused(`${model.name} is built already.`);
  await client.query(
    `UPDATE engine.version v SET state = 'dropping' FROM engine.rebuild r
     WHERE v.model = $1 AND r.model = v.model AND r.version = v.version AND r.state IN ('failed', 'cancelled')`,
    [model.name],
  );
  const version = await createVersion(client, model, 'filling');
  const schema = schemaOf(model.name, version);
  const tables = await readTables(client, model, schema);
  await createStaging(client, { model, version, schema, tables } as Installed);
  await client.query(
    `INSERT INTO engine.rebuild (model, version, definition, state, asked_by, auto_switch)
     VALUES ($1, $2, $3, 'waiting', $4, $5)`,
    [model.name, version, model.version, order.askedBy, order.autoSwitch],
  );
  await client.query('SELECT pg_notify($1, $2)', [controlChannel, `rebuild ${model.name}`]);
  return version;
}

async function isBuilt(db: Queryable, { name, version }: Model): Promise<boolean> {
  const { rowCount } = await db.query('SELECT FROM engine.version WHERE model = $1 AND definition >= $2', [
    name,
    version,
  ]);
  return rowCount !== 0;
}

interface OpenBuild {
  model: string;
  version: number;
  state: BuildState;
  askedBy: string;
  askedAt: Date;
}

export async function openBuildOf(db: Queryable, model: string): Promise<OpenBuild | null> {
  const { rows } = await db.query(
    `SELECT model, version, state, asked_by AS "askedBy", asked_at AS "askedAt" FROM engine.rebuild
     WHERE model = $1 AND state = ANY($2)`,
    [model, openStates],
  );
  return rows[0] ?? null;
}

function alreadyUnderWay({ model, version, state, askedBy, askedAt }: OpenBuild): string {
  return (
    `${model} is being rebuilt already: version ${version}, ${state.replace('_', ' ')}, asked for by ${askedBy} at ` +
    `${askedAt.toISOString()}. Follow it with emulsion rebuild ${model} --watch, or end it with emulsion cancel ${model}.`
  );
}

/** How long a build belongs to who works on it without a word; renewed far more often. */
const lease = "interval '10 seconds'";

/**
 * Takes the next build that nobody works on and whose code this process has, or null. `atOnce` bounds the builds
 * that are worked on in the whole system; the others stay `waiting`.
 */
export async function takeBuild(
  pool: Pool,
  holder: string,
  projections: readonly Projection[],
  atOnce: number,
): Promise<Build | null> {
  return transaction(pool, async (client) => {
    await client.query(`SELECT pg_advisory_xact_lock(hashtext('take build'))`);
    const { rows } = await client.query(
      `UPDATE engine.rebuild SET holder = $1, held_until = now() + ${lease},
         deaths = deaths + (state = 'filling' AND held_until IS NOT NULL)::int
       WHERE (model, version) = (
         SELECT r.model, r.version FROM engine.rebuild r
         JOIN unnest($2::text[], $3::int[]) AS known (model, definition) USING (model, definition)
         WHERE (r.held_until IS NULL OR r.held_until < now())
           AND (r.state = ANY($4) OR (r.state = 'ready' AND r.auto_switch)
             OR (r.state = 'waiting' AND $5 > (SELECT count(*) FROM engine.rebuild WHERE state = ANY($4))))
         ORDER BY r.state = 'waiting', r.asked_at LIMIT 1 FOR UPDATE OF r SKIP LOCKED)
       RETURNING model, version, definition, state, auto_switch AS "autoSwitch", deaths, detail`,
      [
        holder,
        projections.map((p) => p.model.name),
        projections.map((p) => p.model.version),
        workedStates,
        atOnce,
      ],
    );
    return rows[0] ?? null;
  });
}

/** Says that the holder is still at work. Throws BuildLost when the build is not its own any more. */
export async function renewLease(pool: Pool, holder: string, build: Build): Promise<void> {
  const { rowCount } = await pool.query(
    `UPDATE engine.rebuild SET held_until = now() + ${lease}
     WHERE model = $1 AND version = $2 AND holder = $3 AND state = ANY($4)`,
    [build.model, build.version, holder, openStates],
  );
  if (rowCount === 0) throw lost(build);
}

/** Gives the build back, so that whoever comes next need not wait for the lease to run out. */
export async function releaseBuild(pool: Pool, holder: string, build: Build): Promise<void> {
  await pool.query(
    'UPDATE engine.rebuild SET held_until = NULL WHERE model = $1 AND version = $2 AND holder = $3',
    [build.model, build.version, holder],
  );
}

/** Holds the build's row for this transaction; throws BuildLost unless it is the holder's and in this state. */
export async function holdBuild(
  client: Client,
  holder: string,
  build: Build,
  state: BuildState,
): Promise<void> {
  const { rowCount } = await client.query(
    `SELECT FROM engine.rebuild WHERE model = $1 AND version = $2 AND holder = $3 AND state = $4 FOR UPDATE`,
    [build.model, build.version, holder, state],
  );
  if (rowCount === 0) throw lost(build);
}

const endStates: readonly BuildState[] = ['switched', 'cancelled', 'failed'];

/** Moves a build on that is the holder's. */
export async function moveBuild(
  db: Queryable,
  holder: string,
  build: Build,
  to: BuildState,
  detail: string | null = null,
): Promise<Build> {
  const { rowCount } = await db.query(
    `UPDATE engine.rebuild SET state = $5, detail = $6, held_until = clock_timestamp() + ${lease}, started_at = coalesce(started_at, now()), eta_seconds = NULL,
       finished_at = CASE WHEN $5 = ANY($7) THEN now() END
     WHERE model = $1 AND version = $2 AND holder = $3 AND state = $4`,
    [build.model, build.version, holder, build.state, to, detail, endStates],
  );
  if (rowCount === 0) throw lost(build);
  return { ...build, state: to, detail };
}

/** Counts an error of a build and says what it was; it is tried again. */
export async function noteError(pool: Pool, build: Build, detail: string): Promise<void> {
  await pool.query(
    'UPDATE engine.rebuild SET errors = errors + 1, detail = $3 WHERE model = $1 AND version = $2',
    [build.model, build.version, detail],
  );
}

function lost({ model, version }: Build): BuildLost {
  return new BuildLost(`version ${version} of ${model} is not built by this process any more`);
}
