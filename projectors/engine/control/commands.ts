import { type Client, isRetryable, transaction } from '../../../platform/postgres/pool.ts';
import { controlChannel } from '../../../platform/postgres/serving.ts';
import { crashPoint } from '../../../platform/process/crash-points.ts';
import { newestOf, type Projection } from '../projection.ts';
import { openBuildOf, openStates, orderBuild, Refused } from '../rebuild/builds.ts';
import { repair } from '../rebuild/repair.ts';
import { scopeOf } from '../rebuild/scope.ts';
import { switchTo } from '../rebuild/switch.ts';
import type { Engine } from '../runner.ts';

/** A row of engine.command. */
interface Command {
  id: string;
  kind: string;
  model: string;
  arguments: Record<string, unknown>;
  asked_by: string;
}

export interface CommandContext {
  engine: Engine;
  projections: readonly Projection[];
}

/**
 * Carries a command out in the transaction that also says so; gives one sentence for the operator. Throws Refused for
 * what can not be done now.
 */
type Carry = (context: CommandContext, command: Command, client: Client) => Promise<string>;

const carriers: Record<string, Carry> = {
  pause,
  resume,
  rebuild,
  cancel,
  switch: lead,
  rollback,
  drop,
};

/**
 * Takes up the oldest command that waits, and writes what became of it. The row is locked while it is carried out, so
 * that one process does it, and another one when that one dies; what it does and what the row says of it are one
 * transaction, so that nothing is done twice. False when none waits.
 */
export async function takeCommand(context: CommandContext): Promise<boolean> {
  const { pool } = context.engine;
  const { rows } = await pool.query(
    `UPDATE engine.command SET taken_at = coalesce(taken_at, now())
     WHERE id = (SELECT id FROM engine.command WHERE done_at IS NULL ORDER BY asked_at LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING id`,
  );
  if (rows.length === 0) return false;
  crashPoint('command.taken');
  return transaction(pool, async (client) => {
    const locked = await client.query(
      'SELECT id, kind, model, arguments, asked_by FROM engine.command WHERE id = $1 AND done_at IS NULL FOR UPDATE SKIP LOCKED',
      [rows[0].id],
    );
    if (locked.rows.length === 0) return false;
    const outcome = await outcomeOf(context, locked.rows[0], client);
    crashPoint('command.carried');
    await finish(client, locked.rows[0], outcome);
    return true;
  });
}

interface Outcome {
  outcome: 'done' | 'refused' | 'failed';
  detail: string;
}

async function outcomeOf(context: CommandContext, command: Command, client: Client): Promise<Outcome> {
  await client.query('SAVEPOINT before');
  try {
    const carry = carriers[command.kind];
    if (!carry) throw new Refused(`This version of the projectors knows no command ${command.kind}.`);
    return { outcome: 'done', detail: await carry(context, command, client) };
  } catch (error) {
    if (isRetryable(error)) throw error;
    const { message } = error as Error;
    await client.query('ROLLBACK TO SAVEPOINT before');
    if (error instanceof Refused) return { outcome: 'refused', detail: message };
    context.engine.log.error({ err: error, command }, 'a command failed');
    return { outcome: 'failed', detail: message };
  }
}

async function finish(client: Client, { id, model }: Command, { outcome, detail }: Outcome): Promise<void> {
  await client.query('UPDATE engine.command SET done_at = now(), outcome = $2, detail = $3 WHERE id = $1', [
    id,
    outcome,
    detail,
  ]);
  await client.query('SELECT pg_notify($1, $2)', [controlChannel, `command on ${model} done`]);
}

async function pause(_: CommandContext, { model, asked_by }: Command, client: Client): Promise<string> {
  const { rowCount } = await client.query(
    'INSERT INTO engine.pause (model, paused_by) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [model, asked_by],
  );
  return rowCount === 1
    ? `Paused. Readers go on; go on with emulsion resume ${model}.`
    : 'It was paused already.';
}

async function resume(_: CommandContext, { model }: Command, client: Client): Promise<string> {
  const { rowCount } = await client.query('DELETE FROM engine.pause WHERE model = $1', [model]);
  return rowCount === 1 ? 'It goes on.' : 'It was not paused.';
}

async function rebuild(context: CommandContext, command: Command, client: Client): Promise<string> {
  const projection = newestOf(context.projections).find(({ model }) => model.name === command.model);
  if (!projection) throw new Refused(`${command.model} is no model that can be built again.`);
  const scope = scopeOf(command.arguments);
  if (scope) return repair(context, projection, scope);
  const order = { askedBy: command.asked_by, autoSwitch: command.arguments.switch !== false };
  const version = await orderBuild(client, projection, order);
  return `Version ${version} is being built beside the served one.`;
}

async function cancel(_: CommandContext, { model }: Command, client: Client): Promise<string> {
  const { rows } = await client.query(
    `UPDATE engine.rebuild SET state = 'cancelled', finished_at = now() WHERE model = $1 AND state = ANY($2) RETURNING version`,
    [model, openStates],
  );
  if (rows.length === 0) throw new Refused(`No build of ${model} is under way.`);
  await markDropped(client, model, rows[0].version);
  return `The build of version ${rows[0].version} is cancelled, and what it has made is dropped. The served version was never touched.`;
}

/** Leads readers to a build that only waits for it. */
async function lead(_: CommandContext, { model }: Command, client: Client): Promise<string> {
  const build = await openBuildOf(client, model);
  if (!build)
    throw new Refused(`There is no build of ${model} to switch to; make one with emulsion rebuild ${model}.`);
  if (build.state !== 'ready')
    throw new Refused(
      `Version ${build.version} of ${model} is not ready yet: ${build.state.replace('_', ' ')}.`,
    );
  await switchTo(client, model, build.version);
  await client.query(
    `UPDATE engine.rebuild SET state = 'switched', finished_at = now() WHERE model = $1 AND version = $2`,
    [model, build.version],
  );
  return `Readers are led to version ${build.version}. Back with emulsion rollback ${model}.`;
}

async function rollback(_: CommandContext, { model }: Command, client: Client): Promise<string> {
  const { rows } = await client.query('SELECT version, previous FROM engine.serving WHERE model = $1', [
    model,
  ]);
  const { version, previous } = rows[0] ?? {};
  const kept = await client.query(
    `SELECT FROM engine.version WHERE model = $1 AND version = $2 AND state = 'projected'`,
    [model, previous ?? null],
  );
  if (kept.rowCount === 0)
    throw new Refused(`${model} has no version before ${version ?? 'the first one'} that is still kept.`);
  await switchTo(client, model, previous);
  return `Readers are led to version ${previous} again; it has everything that was written since. Version ${version} is kept and projected, too.`;
}

async function drop(
  _: CommandContext,
  { model, arguments: { version } }: Command,
  client: Client,
): Promise<string> {
  const { rows } = await client.query(
    `SELECT v.version, v.version = s.version AS served, r.state FROM engine.version v
     LEFT JOIN engine.serving s USING (model) LEFT JOIN engine.rebuild r ON r.model = v.model AND r.version = v.version
     WHERE v.model = $1 AND v.state <> 'dropping' ORDER BY v.version`,
    [model],
  );
  const own = rows.find((row) => row.version === version);
  if (!own)
    throw new Refused(
      `${model} has ${rows.map((row) => `version ${row.version}`).join(', ')}; not ${version}.`,
    );
  if (own.served) throw new Refused(`Version ${version} of ${model} is the one readers see.`);
  if (openStates.includes(own.state))
    throw new Refused(
      `Version ${version} of ${model} is being built; end that with emulsion cancel ${model}.`,
    );
  await markDropped(client, model, own.version);
  return `Version ${own.version} is dropped.`;
}

async function markDropped(client: Client, model: string, version: number): Promise<void> {
  await client.query(`UPDATE engine.version SET state = 'dropping' WHERE model = $1 AND version = $2`, [
    model,
    version,
  ]);
  await client.query('UPDATE engine.serving SET previous = NULL WHERE model = $1 AND previous = $2', [
    model,
    version,
  ]);
}
