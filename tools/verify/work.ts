import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { failure } from '../../deploy/native/failure.ts';
import { tryLock } from '../../deploy/native/lock.ts';
import type { Sentences } from './piles/gather.ts';
import { openSpill, type Spill } from './piles/spill.ts';
import type { FeedResult, ModelResult } from './results.ts';
import type { Beyond } from './tables/fold.ts';

/** What was asked for: only the same can be resumed. */
export interface Asked {
  world: string;
  models: readonly string[];
  version?: number;
}

/** One model of a run, as plain data. */
export interface KeptSubject {
  model: string;
  version: number;
  definition: number;
  schema: string;
  positions: Record<string, number>;
  parked: Record<string, number[]>;
  ends: Record<string, number>;
  erased: string[];
  shownErased: string[];
  buckets: number;
  result: ModelResult;
  beyond: Beyond;
  /** Buckets that are compared. */
  registersDone: number;
  countsDone: number;
}

/** All that a run needs to go on in another process, beside its piles. */
export interface RunState {
  asked: Asked;
  /** RFC 3339. */
  began: string;
  seconds: number;
  findings: string[];
  broken: Sentences;
  subjects: KeptSubject[];
  /** Next offset to read, by `topic/partition`. */
  read: Record<string, number>;
  feeds: FeedResult;
  /** Of the piles on disk. */
  lengths: Record<string, number>;
}

/** A run with its folder. */
export interface Work {
  folder: string;
  spill: Spill;
  /** What an interrupted run had reached; null: this one starts from nothing. */
  kept: RunState | null;
  /** Keeps what is reached, so that another process can go on; nothing while all is still in memory. */
  save(state: Omit<RunState, 'lengths'>): void;
  /** Lets go of the folder: kept for --resume when something was saved, else removed. */
  close(finished: boolean): boolean;
}

const keptMs = 24 * 3_600_000;

/**
 * A folder of its own for a run, under `dir`. What dead runs of the same left there is thrown away, or gone on with
 * when `resume` is asked for; what other dead runs left is thrown away after a day.
 */
export async function openWork(
  dir: string,
  asked: Asked,
  options: { resume: boolean; keptBytes: number },
): Promise<Work> {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw failure(`The folder ${dir} can not be made.`, 'Name another one by --dir.', error);
  }
  const dead = await takeDead(dir, asked);
  const going = options.resume ? dead.shift() : undefined;
  for (const other of dead) other.remove();
  if (options.resume && !going)
    throw failure('There is no interrupted run of this to go on with.', 'Run it without --resume.');
  return going ? resumed(going, options.keptBytes) : begun(dir, asked, options.keptBytes);
}

const nameOf = (asked: Asked): string =>
  createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, 12);

const stateFile = (folder: string): string => join(folder, 'state.json');
const pilesFolder = (folder: string): string => join(folder, 'piles');

interface Taken {
  folder: string;
  release(): void;
  remove(): void;
}

/** Dead runs of the same, newest first and locked; those of others are removed when they are old. */
async function takeDead(dir: string, asked: Asked): Promise<Taken[]> {
  const own: (Taken & { at: number })[] = [];
  for (const name of readdirSync(dir)) {
    const folder = join(dir, name);
    const at = changedAt(folder);
    const isOwn = name.startsWith(`${nameOf(asked)}-`);
    if (!isOwn && Date.now() - at < keptMs) continue;
    const taken = await take(folder);
    if (!taken) continue;
    if (isOwn) own.push({ ...taken, at });
    else taken.remove();
  }
  return own.sort((a, b) => b.at - a.at);
}

function changedAt(folder: string): number {
  return statSync(existsSync(stateFile(folder)) ? stateFile(folder) : folder).mtimeMs;
}

/** undefined: the run lives. */
async function take(folder: string): Promise<Taken | undefined> {
  const release = await tryLock(join(folder, 'lock'));
  if (!release) return undefined;
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
    release();
  };
  return { folder, release, remove };
}

async function begun(dir: string, asked: Asked, keptBytes: number): Promise<Work> {
  const id = randomUUID().slice(0, 8);
  const making = join(dir, `.making-${id}`);
  const folder = join(dir, `${nameOf(asked)}-${id}`);
  mkdirSync(making, { mode: 0o700 });
  // Locked before it has its name, so that nobody takes it for a dead one.
  const release = await tryLock(join(making, 'lock'));
  renameSync(making, folder);
  const taken = {
    folder,
    release: () => release?.(),
    remove() {
      rmSync(folder, { recursive: true, force: true });
      release?.();
    },
  };
  return workIn(taken, { spill: openSpill(pilesFolder(folder), keptBytes), kept: null });
}

function resumed(taken: Taken, keptBytes: number): Work {
  const spill = openSpill(pilesFolder(taken.folder), keptBytes);
  if (!existsSync(stateFile(taken.folder))) {
    taken.remove();
    throw failure('The interrupted run had not come far enough to go on with.', 'Run it without --resume.');
  }
  const kept = JSON.parse(readFileSync(stateFile(taken.folder), 'utf8')) as RunState;
  spill.cutTo(kept.lengths);
  return workIn(taken, { spill, kept });
}

function workIn(taken: Taken, { spill, kept }: { spill: Spill; kept: RunState | null }): Work {
  const { folder } = taken;
  let saved = kept !== null;
  return {
    folder,
    spill,
    kept,
    save(state) {
      if (!spill.isOnDisk()) return;
      const whole: RunState = { ...state, lengths: spill.flush() };
      const next = `${stateFile(folder)}.next`;
      writeFileSync(next, JSON.stringify(whole), { mode: 0o600 });
      renameSync(next, stateFile(folder));
      saved = true;
    },
    close(finished) {
      const resumable = !finished && saved;
      if (resumable) taken.release();
      else taken.remove();
      return resumable;
    },
  };
}
