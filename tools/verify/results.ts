import { addRow, addSum, type Checksum, newChecksum, removeRow } from './bytes/checksum.ts';
import type { Layout } from './bytes/layout.ts';
import { type Difference, rowDifference } from './difference.ts';
import type { Subject } from './piles/gather.ts';

/** What became of one table so far. */
export interface TableResult {
  model: string;
  table: string;
  expected: Checksum;
  actual: Checksum;
  differences: number;
}

/** What the comparison of a model has brought so far; plain data, so that it can be kept in a file. */
export interface ModelResult {
  tables: TableResult[];
  /** The first of each table. */
  differences: Difference[];
  /** Rows of people who were erased between the snapshot and the reading of their events: nobody can tell them any more. */
  erased: number;
}

/** Differences kept of each table; all are counted. */
export const keptDifferences = 10;

export function newResult({ state, layouts }: Subject): ModelResult {
  return {
    tables: layouts.map(({ table }) => newTable(state.model, table)),
    differences: [],
    erased: 0,
  };
}

function newTable(model: string, table: string): TableResult {
  return { model, table, expected: newChecksum(), actual: newChecksum(), differences: 0 };
}

/** Counts a difference, and keeps it while it is one of the first of its table. */
export function keep(kept: Difference[], table: TableResult, difference: () => Difference): void {
  table.differences += 1;
  if (table.differences <= keptDifferences) kept.push(difference());
}

/** What the comparison of feeds has brought so far; plain data. */
export interface FeedResult {
  table: TableResult;
  differences: Difference[];
  readers: number;
  /** Entries that events bore on each time they were looked at, on a system that is being written to. */
  moving: number;
  /** 'postgres': Redis has lost the timelines, and feeds are answered from the tables that were compared. */
  from: 'redis' | 'postgres';
  /** Buckets of readers that are done. */
  done: number;
}

export function newFeedResult(): FeedResult {
  return {
    table: newTable('timelines', 'home_feed'),
    differences: [],
    readers: 0,
    moving: 0,
    from: 'redis',
    done: 0,
  };
}

/** Takes what is not equal; null: no such row. */
export interface Comparison {
  differ(layout: Layout, wanted: Buffer | null, found: Buffer | null): void;
  /** Wanted rows that nobody can tell any more: counted, and no difference. */
  erased(layout: Layout, wanted: Buffer, found: Buffer): void;
  /** To be called when all rows have been seen. */
  end(): void;
}

/** `sums` are those of the expected rows by table; rows that are not told as differing are what was expected. */
export function openComparison(
  { spec }: Subject,
  result: ModelResult,
  sums: readonly Checksum[],
): Comparison {
  sums.forEach((sum, table) => {
    addSum(result.tables[table]!.expected, sum);
  });
  const replace = (layout: Layout, wanted: Buffer | null, found: Buffer | null): void => {
    if (wanted) removeRow(sums[layout.index]!, wanted);
    if (found) addRow(sums[layout.index]!, found);
  };
  return {
    differ(layout, wanted, found) {
      replace(layout, wanted, found);
      const table = result.tables[layout.index]!;
      keep(result.differences, table, () => rowDifference(spec, layout, wanted, found));
    },
    erased(layout, wanted, found) {
      replace(layout, wanted, found);
      result.erased += 1;
    },
    end() {
      sums.forEach((sum, table) => {
        addSum(result.tables[table]!.actual, sum);
      });
    },
  };
}
