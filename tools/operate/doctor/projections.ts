import type { Pool } from '../../../platform/postgres/pool.ts';
import type { Projection } from '../projections/projection.ts';
import { readProjections } from '../projections/read.ts';
import { type Found, ok, warn, wrong } from './finding.ts';
import type { Patient } from './patient.ts';

const needsSomebody = ['stopped', 'stalled', 'not running'];

/** Whether every model goes on, and what waits for an operator. */
export async function checkProjections(patient: Patient): Promise<Found[]> {
  if (!(await patient.postgresAnswers))
    return [warn('nothing is known of them: Postgres does not answer', 'See what is wrong with it above.')];
  const { projections } = await readProjections(patient);
  const found = [
    ...checkStates(projections),
    ...projections.flatMap(checkParked),
    ...(await checkForgotten(patient.pool)),
  ];
  if (projections.length === 0) return [warn('there are none yet', 'Start the projectors: npx emulsion up.')];
  return found.length > 0 ? found : [ok(`${projections.length} go on`)];
}

const fine = ['running', 'starting', 'rebuilding', 'paused', 'dropping'];

/** A process that is down takes many with it: what has one reason is one line. */
function checkStates(projections: readonly Projection[]): Found[] {
  const troubled = projections.filter(({ state }) => !fine.includes(state));
  const groups = Map.groupBy(troubled, ({ state, reason }) => `${state}${reason ? `, ${reason}` : ''}`);
  return [...groups].map(([text, group]) => {
    const { state, advice } = group[0]!;
    const what = `${group.map(({ model, version }) => `${model} ${version}`).join(', ')}: ${text}`;
    const remedy = advice ?? 'See emulsion projections.';
    return needsSomebody.includes(state) ? wrong(what, remedy) : warn(what, remedy);
  });
}

function checkParked({ model, version, parked }: Projection): Found[] {
  if (parked === 0) return [];
  return [
    warn(
      `${model} ${version}: ${parked} records are parked`,
      `Look at them: emulsion dead-letters list --model ${model}.`,
    ),
  ];
}

/** A pause that nobody remembers looks like lag for ever. */
async function checkForgotten(pool: Pool): Promise<Found[]> {
  const { rows } = await pool.query(
    `SELECT model, paused_by, round(extract(epoch FROM now() - paused_at) / 3600)::int AS hours
     FROM engine.pause WHERE paused_at < now() - interval '1 hour' ORDER BY paused_at`,
  );
  return rows.map(({ model, paused_by, hours }) =>
    warn(`${model} was paused by ${paused_by} ${hours} h ago`, `Let it go on: emulsion resume ${model}.`),
  );
}
