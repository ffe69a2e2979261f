import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stretch } from '../../platform/log/read-log.ts';
import { startPhase } from '../load/progress.ts';
import { begin } from './begin.ts';
import { readEvents, readRulings } from './events.ts';
import { compareFeeds } from './feeds/served.ts';
import { piecesOf } from './piles/divide.ts';
import { countRowsPile, countsPile, createGatherer } from './piles/gather.ts';
import { reportOf, type VerifyReport } from './report.ts';

import { type Compared, openRun, pacemaker, type Run, save } from './run.ts';
import type { World } from './source.ts';
import { compareRegisters } from './tables/compare.ts';
import { compareCounts } from './tables/counts.ts';
import { openWork } from './work.ts';

export type { VerifyReport } from './report.ts';

export interface VerifyOptions {
  /** Model names; all that are served, and reactors' facts, when empty. */
  models: readonly string[];
  /** Of the one model that is named; the served one when not given. */
  version?: number;
  /** Bytes; see `budgetOf`. */
  memory?: number;
  /** Where piles go that are too large for memory; a folder among the temporary files when not given. */
  dir?: string;
  /** Go on with the interrupted run of the same. */
  resume?: boolean;
  signal?: AbortSignal;
  /** Told when a run that did not end can be gone on with. */
  onResumable?(): void;
}

const usualMemory = 512 * 2 ** 20;

/**
 * Compares every row, and every feed, with what the log says: exact as of one snapshot's positions. The log is gone
 * through once; what it says is spread over piles by the hash of each row's key, on disk where memory is too little,
 * and each pile is folded by itself.
 */
export async function verify(world: World, options: VerifyOptions): Promise<VerifyReport> {
  const asked = { world: world.name, models: [...options.models].sort(), version: options.version };
  const budget = budgetOf(options.memory ?? usualMemory);
  const work = await openWork(options.dir ?? join(tmpdir(), 'emulsion-verify'), asked, {
    resume: options.resume ?? false,
    ...budget,
  });
  const run = openRun(world, work, { asked, budget, signal: options.signal });
  let finished = false;
  try {
    const report = await throughAll(run);
    finished = true;
    return report;
  } finally {
    if (!finished && run.subjects.length > 0 && isGathering(run)) save(run);
    if (work.close(finished)) options.onResumable?.();
  }
}

/** A sixteenth for piles that are not on disk; a sixteenth of facts to fold, which take up to four times as much. */
function budgetOf(memory: number) {
  return { keptBytes: Math.floor(memory / 16), foldBytes: Math.floor(memory / 16) };
}

async function throughAll(run: Run): Promise<VerifyReport> {
  if (!run.work.kept) await begin(run);
  save(run);
  await gather(run);
  const pause = pacemaker(run);
  for (const subject of run.subjects) await compareModel(run, subject, pause);
  const timelines = run.subjects.find(({ spec }) => spec.model === 'timelines');
  if (timelines) await compareServed(run, timelines, pause);
  return reportOf(run);
}

export function isEqual(report: VerifyReport): boolean {
  return report.equal;
}

/** What is still to be read of the log: up to the furthest of the models. */
function stretchesOf({ subjects, read }: Run): Stretch[] {
  const ends = new Map<string, number>();
  for (const subject of subjects)
    for (const [id, end] of subject.ends) ends.set(id, Math.max(ends.get(id) ?? 0, end));
  return [...ends].map(([id, end]) => {
    const slash = id.lastIndexOf('/');
    const from = BigInt(read[id] ?? 0);
    return { topic: id.slice(0, slash), partition: Number(id.slice(slash + 1)), from, to: BigInt(end) };
  });
}

const isGathering = (run: Run): boolean => stretchesOf(run).some(({ from, to }) => from < to);

/** Goes through the log once. */
async function gather(run: Run): Promise<void> {
  const { world, subjects, work, digest, broken, signal } = run;
  const stretches = stretchesOf(run);
  const records = stretches.reduce((sum, { from, to }) => sum + Number(to - from), 0);
  if (records === 0) return;
  const gatherRecord = createGatherer(subjects, work.spill, digest, broken);
  const pause = pacemaker(run);
  const phase = startPhase('log', records);
  const options = {
    ...{ stretches, keys: world.pool, signal },
    models: subjects.map(({ state }) => state.model),
    rulings: await readRulings(world),
  };
  try {
    await readEvents(world, options, gatherRecord, async ({ topic, partition, offset }, count) => {
      phase.step(count);
      run.read[`${topic}/${partition}`] = offset + 1;
      await pause();
    });
  } finally {
    phase.end();
  }
}

async function compareModel(run: Run, subject: Compared, pause: () => Promise<void>): Promise<void> {
  const { spill } = run.work;
  const { result, beyond, buckets, state } = subject;
  const phase = startPhase(state.model, 2 * buckets);
  try {
    for (; subject.registersDone < buckets; subject.registersDone += 1) {
      for (const piles of piecesOf(subject, spill, subject.registersDone, run.budget.foldBytes))
        compareRegisters(subject, spill, piles, result, beyond);
      phase.step();
      await pause();
    }
    for (; subject.countsDone < buckets; subject.countsDone += 1) {
      const bucket = subject.countsDone;
      const piles = { counts: countsPile(state.model, bucket), rows: countRowsPile(state.model, bucket) };
      compareCounts(subject, spill, piles, result);
      phase.step();
      await pause();
    }
  } finally {
    phase.end();
  }
}

async function compareServed(run: Run, subject: Compared, turn: () => Promise<void>): Promise<void> {
  const { world, work, feeds, budget } = run;
  const posts = { path: `${work.folder}/posts`, keptBytes: budget.keptBytes };
  await compareFeeds({ world, subject, spill: work.spill, result: feeds, posts, turn });
}
