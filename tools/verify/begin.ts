import { fetchHeads } from '../../platform/log/topics.ts';
import { layoutsOf } from './bytes/layout.ts';
import { allFacts } from './facts/all.ts';
import { gatherRows } from './piles/gather-rows.ts';
import { newResult } from './results.ts';
import type { Compared, Run } from './run.ts';
import { shapeFindings } from './shape.ts';
import { chooseVersions, type ModelState, openSnapshot, readState, type Snapshot } from './snapshot.ts';
import type { FactSpec } from './spec.ts';

/**
 * Takes the rows and the positions of one REPEATABLE READ snapshot, which is closed before the log is read: however
 * long that takes, Postgres keeps no old rows for it, and an interrupted run goes on with the very same ones.
 */
export async function begin(run: Run): Promise<void> {
  const snapshot = await openSnapshot(run.world.pool);
  try {
    run.subjects = await subjectsOf(run, snapshot);
    await gatherRows(snapshot, run.subjects, run.work.spill, run.digest);
  } finally {
    await snapshot.close();
  }
}

async function subjectsOf(run: Run, snapshot: Snapshot): Promise<Compared[]> {
  const { chosen, findings } = chooseVersions(snapshot, allFacts, run.asked);
  run.findings.push(...findings);
  const subjects: Compared[] = [];
  for (const { spec, version, definition } of chosen) {
    const state = await readState(snapshot.client, { model: spec.model, version, definition });
    const shape = await shapeFindings(snapshot.client, spec, state.schema);
    run.findings.push(...shape);
    if (shape.length === 0) subjects.push(await subjectOf(run, spec, state));
  }
  return subjects;
}

async function subjectOf(run: Run, spec: FactSpec, state: ModelState): Promise<Compared> {
  const ends = spec.rowsFirst ? await endsAhead(run, spec, state) : state.positions;
  const layouts = layoutsOf(spec);
  const buckets = bucketsFor(ends, run.budget.foldBytes);
  const erasures = { erased: new Set<string>(), shownErased: new Set<string>() };
  const subject = { spec, state, layouts, ends, buckets, ...erasures };
  return {
    ...subject,
    result: newResult(subject),
    beyond: { reached: {}, missing: {} },
    registersDone: 0,
    countsDone: 0,
  };
}

/** No round takes more records than this, so no row is further ahead of its position. */
const longestRound = 10_000;

/** How far rows may be: the heads are read after the snapshot was taken, so nothing in it lies behind them. */
async function endsAhead({ world }: Run, spec: FactSpec, state: ModelState): Promise<Map<string, number>> {
  const heads = await fetchHeads(world.kafka, world.prefix, spec.topics);
  const ends = new Map<string, number>();
  for (const [topic, offsets] of heads)
    offsets.forEach((head, partition) => {
      const position = state.positions.get(`${topic}/${partition}`) ?? 0;
      ends.set(`${topic}/${partition}`, Math.max(position, Math.min(Number(head), position + longestRound)));
    });
  return ends;
}

/** Bytes of an ordinary fact. Where they are larger, a bucket is divided once more (divide.ts). */
const factBytes = 100;

function bucketsFor(ends: ReadonlyMap<string, number>, foldBytes: number): number {
  const records = [...ends.values()].reduce((sum, end) => sum + end, 0);
  return Math.max(1, Math.ceil((records * factBytes) / foldBytes));
}
