import type { Client } from '../../platform/postgres/pool.ts';
import { type Difference, rowDifference } from './difference.ts';
import type { Bucket } from './fold.ts';
import type { FactSpec, Row, TableSpec } from './spec.ts';
import { addRow, type Checksum, canonicalRow, rowKey, tableRows } from './tables.ts';

/** What became of one table over all passes. */
export interface TableResult {
  model: string;
  table: string;
  expected: Checksum;
  actual: Checksum;
  differences: number;
}

/** Differences kept for printing; all are counted. */
export const keptDifferences = 100;

export function newResult(model: string, table: string): TableResult {
  return { model, table, expected: { rows: 0, sum: 0n }, actual: { rows: 0, sum: 0n }, differences: 0 };
}

/** Compares the rows of one pass with what the fold expects; uses `expected` up. */
export async function compareTable(
  client: Client,
  spec: FactSpec,
  schema: string,
  table: TableSpec,
  bucket: Bucket,
  expected: Map<string, Row>,
  result: TableResult,
): Promise<Difference[]> {
  const differences: Difference[] = [];
  const differ = (wanted: Row | null, found: Row | null): void => {
    result.differences += 1;
    if (differences.length < keptDifferences) differences.push(rowDifference(spec, table, wanted, found));
  };
  for (const row of expected.values()) addRow(result.expected, canonicalRow(table, row));
  for await (const row of tableRows(client, schema, table, bucket)) {
    const canonical = canonicalRow(table, row);
    addRow(result.actual, canonical);
    const key = rowKey(table, row);
    const wanted = expected.get(key) ?? null;
    if (!wanted || canonicalRow(table, wanted) !== canonical) differ(wanted, row);
    expected.delete(key);
  }
  for (const row of expected.values()) differ(row, null);
  return differences;
}
