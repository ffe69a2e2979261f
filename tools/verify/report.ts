import { checksumText } from './bytes/checksum.ts';
import type { Difference } from './difference.ts';
import { type Cause, explain } from './explain.ts';
import { keptDifferences, type TableResult } from './results.ts';
import type { Compared, Run } from './run.ts';

export interface VerifyReport {
  /** No difference, and nothing was found besides. */
  equal: boolean;
  models: ModelReport[];
  tables: TableReport[];
  /** What no row can tell: a table that is not known, a record that does not decode, a model that is not there. */
  findings: string[];
  /** The first of each table, with the events that made them. */
  differences: (Omit<Difference, 'marks'> & { events: Cause[] })[];
  /** Entries of feeds on which events bore each time they were looked at, on a system that is being written to. */
  moving: number;
  /** Rows of people erased between the snapshot and the reading of their events: nobody can tell them any more. */
  erased: number;
  feeds: { readers: number; from: 'redis' | 'postgres' } | null;
  seconds: number;
  /** Bytes that were spread over piles, and the most memory that the process ever had. */
  spilledBytes: number;
  peakRssBytes: number;
}

export interface ModelReport {
  model: string;
  version: number;
  definition: number;
  events: number;
  parked: number;
  buckets: number;
  /** Next offset by `topic/partition`: the rows were compared with exactly what lies before. */
  positions: Record<string, number>;
}

export interface TableReport {
  model: string;
  table: string;
  expected: { rows: number; checksum: string };
  actual: { rows: number; checksum: string };
  differences: number;
}

/** Puts together what was found, with the events that made what differs. */
export async function reportOf(run: Run): Promise<VerifyReport> {
  const { subjects, work, world, feeds } = run;
  const served = subjects.some(({ spec }) => spec.model === 'timelines') ? feeds : null;
  const tables = subjects.flatMap(({ result }) => result.tables);
  if (served) tables.push(served.table);
  const kept = [
    ...subjects.flatMap(({ result }) => result.differences),
    ...(served ? served.differences.slice(0, keptDifferences) : []),
  ];
  const causes = kept.length > 0 ? await explain(world, subjects, work.spill, kept) : [];
  const findings = [...run.findings, ...run.broken.first, ...others(run.broken), ...subjects.flatMap(torn)];
  return {
    equal: findings.length === 0 && tables.every(({ differences }) => differences === 0),
    models: subjects.map(modelReport),
    tables: tables.map(tableReport),
    findings,
    differences: kept.map(({ marks: _, ...difference }, index) => ({
      ...difference,
      events: causes[index]!,
    })),
    moving: feeds.moving,
    erased: subjects.reduce((sum, { result }) => sum + result.erased, 0),
    feeds: served && { readers: served.readers, from: served.from },
    seconds: run.seconds(),
    spilledBytes: work.spill.total(),
    peakRssBytes: process.resourceUsage().maxRSS * 1_024,
  };
}

function modelReport({ state, ends, beyond, buckets }: Compared): ModelReport {
  const { model, version, definition, positions, parked } = state;
  const upTo = new Map(positions);
  for (const [id, reached] of Object.entries(beyond.reached))
    upTo.set(id, Math.max(reached, upTo.get(id) ?? 0));
  return {
    ...{ model, version, definition, buckets },
    events: [...ends.keys()].reduce((sum, id) => sum + (upTo.get(id) ?? 0), 0),
    parked: parked.size,
    positions: Object.fromEntries(upTo),
  };
}

function tableReport({ model, table, expected, actual, differences }: TableResult): TableReport {
  return {
    model,
    table,
    expected: { rows: expected.rows, checksum: checksumText(expected) },
    actual: { rows: actual.rows, checksum: checksumText(actual) },
    differences,
  };
}

function others({ first, count }: { first: string[]; count: number }): string[] {
  return count > first.length ? [`and ${count - first.length} more records that do not decode`] : [];
}

/** Rows that come before their position come by whole rounds. */
function torn({ state, beyond }: Compared): string[] {
  return Object.entries(beyond.reached)
    .filter(([id, reached]) => (beyond.missing[id] ?? reached) < reached)
    .map(
      ([id, reached]) =>
        `${state.model}: rows show ${id}/${reached - 1}, and not ${id}/${beyond.missing[id]} before it`,
    );
}
