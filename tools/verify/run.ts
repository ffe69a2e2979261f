import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Digest } from './bytes/cells.ts';
import { layoutsOf } from './bytes/layout.ts';
import { placesOf } from './bytes/offsets.ts';
import { allFacts } from './facts/all.ts';
import type { Sentences, Subject } from './piles/gather.ts';
import { type FeedResult, type ModelResult, newFeedResult } from './results.ts';
import { factsOf } from './snapshot.ts';
import type { World } from './source.ts';
import type { Beyond } from './tables/fold.ts';
import type { Asked, KeptSubject, Work } from './work.ts';

/** How much of what may be in memory. */
export interface Budget {
  /** Bytes of piles that are not on disk. */
  keptBytes: number;
  /** Bytes of facts that are folded at once; folding takes a few times as much. */
  foldBytes: number;
}

/** A model with what its comparison has brought. */
export interface Compared extends Subject {
  result: ModelResult;
  beyond: Beyond;
  registersDone: number;
  countsDone: number;
}

/** One verification, from whatever stage it is at. */
export interface Run {
  world: World;
  work: Work;
  asked: Asked;
  budget: Budget;
  digest: Digest;
  signal?: AbortSignal;
  began: string;
  seconds(): number;
  findings: string[];
  /** Records that do not decode and are not parked. */
  broken: Sentences;
  subjects: Compared[];
  /** Next offset to read, by `topic/partition`. */
  read: Record<string, number>;
  feeds: FeedResult;
}

export interface RunOptions {
  asked: Asked;
  budget: Budget;
  signal?: AbortSignal;
}

/** Takes up what the folder keeps, or starts from nothing. */
export function openRun(world: World, work: Work, options: RunOptions): Run {
  const { kept } = work;
  const started = performance.now();
  return {
    world,
    work,
    ...options,
    // With a key of the installation's own, so that digests on disk can't be tried against likely names.
    digest: (text) => world.master.hmac('verify', text),
    began: kept?.began ?? new Date().toISOString(),
    seconds: () => (kept?.seconds ?? 0) + (performance.now() - started) / 1_000,
    findings: kept?.findings ?? [],
    broken: kept?.broken ?? { first: [], count: 0 },
    subjects: kept?.subjects.map(restored) ?? [],
    read: kept?.read ?? {},
    feeds: kept?.feeds ?? newFeedResult(),
  };
}

/** Keeps what is reached, where a part of it is on disk already. */
export function save(run: Run): void {
  const { asked, began, findings, broken, read, feeds } = run;
  const subjects = run.subjects.map(plain);
  run.work.save({ asked, began, seconds: run.seconds(), findings, broken, subjects, read, feeds });
}

const saveEveryMs = 10_000;

/** To be called between pieces of work: lets signals in, ends when asked to, and saves now and then. */
export function pacemaker(run: Run): () => Promise<void> {
  let saved = performance.now();
  return async () => {
    await nextTurn();
    run.signal?.throwIfAborted();
    if (performance.now() - saved < saveEveryMs) return;
    save(run);
    saved = performance.now();
  };
}

function plain({ state, ends, erased, shownErased, ...subject }: Compared): KeptSubject {
  const { buckets, result, beyond, registersDone, countsDone } = subject;
  const { model, version, definition, schema } = state;
  return {
    ...{ model, version, definition, schema },
    positions: Object.fromEntries(state.positions),
    parked: state.parked.toJson(),
    ends: Object.fromEntries(ends),
    erased: [...erased],
    shownErased: [...shownErased],
    ...{ buckets, result, beyond, registersDone, countsDone },
  };
}

function restored({
  positions,
  parked,
  ends,
  model,
  version,
  definition,
  schema,
  erased,
  shownErased,
  ...kept
}: KeptSubject): Compared {
  const spec = factsOf(allFacts, { model, definition });
  return {
    spec,
    layouts: layoutsOf(spec),
    state: {
      ...{ model, version, definition, schema },
      positions: new Map(Object.entries(positions)),
      parked: placesOf(parked),
    },
    ends: new Map(Object.entries(ends)),
    erased: new Set(erased),
    shownErased: new Set(shownErased),
    ...kept,
  };
}
