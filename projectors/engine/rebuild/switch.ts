import { type Client, sqlState } from '../../../platform/postgres/pool.ts';
import { consumerOf } from '../../../platform/postgres/serving.ts';
import { crashPoint } from '../../../platform/process/crash-points.ts';
import { serve } from '../serving.ts';
import { lockVersions } from '../versions.ts';
import { Refused } from './builds.ts';

/** Milliseconds that the served version is held still while the other one comes level. */
const levelWithinMs = 2_000;
const attempts = 10;
const pauseMs = 500;

/** The other version has not come level while the served one was held still; nothing was changed. */
class NotLevel extends Error {
  override name = 'NotLevel';
}

/**
 * Leads readers to another version of a model, in the caller's transaction, in which its positions are nowhere behind
 * those of the served one: so nobody misses what they have seen. Versions that are neither served now nor before are
 * dropped afterwards. Throws Refused when it can not come level.
 */
export async function switchTo(client: Client, model: string, version: number): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await client.query('SAVEPOINT level');
    try {
      return await switchOnce(client, model, version);
    } catch (error) {
      const busy = error instanceof NotLevel || sqlState(error) === '55P03';
      if (!busy) throw error;
      // What was held still goes on meanwhile.
      await client.query('ROLLBACK TO SAVEPOINT level');
      if (attempt === attempts)
        throw new Refused(
          `Version ${version} of ${model} does not come level with the served one: it applies more slowly than the log grows. See emulsion projections.`,
        );
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

async function switchOnce(client: Client, model: string, version: number): Promise<void> {
  // A person's long query on a view must not make every reader of it wait behind us.
  await client.query(`SET LOCAL lock_timeout = '1s'`);
  await lockVersions(client, model);
  const { rows } = await client.query('SELECT version FROM engine.serving WHERE model = $1 FOR UPDATE', [
    model,
  ]);
  const served = rows[0]?.version as number | undefined;
  if (served === version) throw new Refused(`Version ${version} of ${model} is served already.`);
  await mustBeProjected(client, model, version);
  if (served !== undefined) await comeLevel(client, consumerOf(model, served), consumerOf(model, version));
  await serve(client, model, version);
  crashPoint('switch.middle');
  await client.query(
    `UPDATE engine.version SET state = 'dropping'
     WHERE model = $1 AND state = 'projected' AND version <> $2 AND version IS DISTINCT FROM $3`,
    [model, version, served],
  );
}

async function mustBeProjected(client: Client, model: string, version: number): Promise<void> {
  const { rows } = await client.query('SELECT state FROM engine.version WHERE model = $1 AND version = $2', [
    model,
    version,
  ]);
  if (rows[0]?.state !== 'projected')
    throw new Refused(`Version ${version} of ${model} is not there to be served.`);
}

/** Holds the served version's positions, and waits until the other one has passed every one of them. */
async function comeLevel(client: Client, served: string, other: string): Promise<void> {
  await client.query('SELECT FROM engine.position WHERE consumer = $1 ORDER BY topic, partition FOR UPDATE', [
    served,
  ]);
  for (const until = Date.now() + levelWithinMs; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const { rows } = await client.query(
      `SELECT EXISTS (
         SELECT FROM engine.position s
         LEFT JOIN engine.position o ON o.consumer = $2 AND o.topic = s.topic AND o.partition = s.partition
         WHERE s.consumer = $1 AND s.position > coalesce(o.position, 0)) AS behind`,
      [served, other],
    );
    if (!rows[0].behind) return;
    if (Date.now() > until) throw new NotLevel(`${other} is behind ${served}`);
  }
}
