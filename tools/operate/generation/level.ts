import { failure } from '../../../deploy/native/failure.ts';
import type { Queryable } from '../../../platform/postgres/pool.ts';
import { runningServices, writingRoles } from '../backup/running.ts';

/** Nobody appends and nobody moves a position: those who only read may go on. */
export async function mustBeQuiet(db: Queryable): Promise<void> {
  const running = await runningServices(db, writingRoles);
  if (running.length === 0) return;
  throw failure(
    `Still at work: ${running.join('; ')}.`,
    'Stop them: npx emulsion down command-api projectors reactors media-pipeline. Reads go on meanwhile.',
  );
}

/** A half-built version stands on the places of the old generation. */
export async function mustNotBuild(db: Queryable): Promise<void> {
  const { rows } = await db.query(
    `SELECT model, version FROM engine.version WHERE state = 'filling'
     UNION SELECT model, version FROM engine.rebuild WHERE finished_at IS NULL ORDER BY 1, 2 LIMIT 1`,
  );
  if (rows.length === 0) return;
  throw failure(
    `Version ${rows[0].version} of ${rows[0].model} is being built.`,
    `Start the projectors, let it end or end it (emulsion cancel ${rows[0].model}), and stop them again.`,
  );
}

/** Everybody has applied everything: then the end of one generation is the end of the other. */
export async function mustBeLevel(
  db: Queryable,
  heads: ReadonlyMap<string, readonly bigint[]>,
): Promise<void> {
  const { rows } = await db.query('SELECT consumer, topic, partition, position FROM engine.position');
  const at = new Map(
    rows.map((row) => [`${row.consumer} ${row.topic}/${row.partition}`, row.position as number]),
  );
  const consumed = new Set(rows.map((row) => `${row.consumer} ${row.topic}`));
  for (const name of consumed) {
    const topic = name.slice(name.indexOf(' ') + 1);
    const behind = (heads.get(topic) ?? []).findIndex(
      (head, partition) => (at.get(`${name}/${partition}`) ?? 0) !== Number(head),
    );
    if (behind === -1) continue;
    throw failure(
      `${name}/${behind} is at ${at.get(`${name}/${behind}`) ?? 0}, the log ends at ${heads.get(topic)![behind]}.`,
      'Start everything but command-api (npx emulsion up --without command-api), wait until emulsion projections shows 0 behind, and stop it again.',
    );
  }
}
