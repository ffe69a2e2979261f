import { createScratch, putCell, type Scratch } from '../bytes/cells.ts';
import { addRow, newChecksum } from '../bytes/checksum.ts';
import { bucketHash, type Layout, rowAt } from '../bytes/layout.ts';
import { countsPile, type Subject } from '../piles/gather.ts';
import { rowHead } from '../piles/rows.ts';
import type { Spill } from '../piles/spill.ts';
import { type ModelResult, openComparison } from '../results.ts';
import type { Row } from '../spec.ts';
import { keyText } from './fold.ts';

/** A part of a count is a row of its table behind this: the number of the table. */
const partHead = 1;

/** The counts that the rows of one pile make, by table and key: a key that is touched has a row, even of 0. */
export function createCounts({ spec, layouts, state, buckets }: Subject) {
  const tables = new Map(layouts.map((layout) => [layout.table, layout]));
  const counts = new Map((spec.counts ?? []).map(({ name }) => [name, new Map<string, number[]>()]));
  return {
    add(table: string, row: Row): void {
      for (const counted of spec.counted?.(table, row) ?? []) {
        const own = counts.get(counted.table)!;
        const { columns } = tables.get(counted.table)!;
        const numbers = own.get(counted.key) ?? columns.slice(1).map(() => 0);
        own.set(counted.key, numbers);
        if (counted.counts) numbers[columns.indexOf(counted.column) - 1]! += 1;
      }
    },
    /** Leaves each key's part for `compareCounts` to add up: the most liked post has likes in every pile. */
    spillTo(spill: Spill): void {
      const scratch = createScratch();
      for (const [table, own] of counts) {
        const layout = tables.get(table)!;
        for (const [key, numbers] of own) {
          putPart(scratch, layout, key, numbers);
          const bucket = bucketHash(layout, scratch.bytes, partHead) % buckets;
          spill.add(countsPile(state.model, bucket), scratch.bytes, scratch.length);
        }
      }
    },
  };
}

function putPart(scratch: Scratch, layout: Layout, key: string, numbers: readonly number[]): void {
  scratch.bytes[0] = layout.index;
  scratch.length = partHead;
  putCell(scratch, key);
  for (const number of numbers) putCell(scratch, String(number));
}

/** Adds up the parts of one bucket and compares the rows of the tables that count. */
export function compareCounts(
  subject: Subject,
  spill: Spill,
  piles: { counts: string; rows: string },
  result: ModelResult,
): void {
  const expected = addUp(subject, spill, piles.counts);
  const sums = expected.map((own) => {
    const sum = newChecksum();
    for (const row of own.values()) addRow(sum, bytesOf(row));
    return sum;
  });
  const comparison = openComparison(subject, result, sums);
  spill.each(piles.rows, (record) => {
    const layout = subject.layouts[record[0]!]!;
    const own = expected[layout.index]!;
    const key = keyText(layout, record, rowHead);
    const wanted = own.get(key);
    own.delete(key);
    if (wanted === record.toString('latin1', rowHead)) return;
    comparison.differ(
      layout,
      wanted === undefined ? null : bytesOf(wanted),
      Buffer.from(record.subarray(rowHead)),
    );
  });
  expected.forEach((own, table) => {
    for (const wanted of own.values()) comparison.differ(subject.layouts[table]!, bytesOf(wanted), null);
  });
  comparison.end();
}

/** The rows that the tables which count must have, by table and key, as bytes in text. */
function addUp({ layouts }: Subject, spill: Spill, pile: string): Map<string, string>[] {
  const expected = layouts.map(() => new Map<string, string>());
  const scratch = createScratch();
  spill.each(pile, (part) => {
    const layout = layouts[part[0]!]!;
    const own = expected[layout.index]!;
    const key = keyText(layout, part, partHead);
    const known = own.get(key);
    if (known === undefined) return void own.set(key, part.toString('latin1', partHead));
    const [one, other] = [rowAt(layout, bytesOf(known), 0), rowAt(layout, part, partHead)];
    const [name, ...columns] = layout.columns;
    const numbers = columns.map((column) => Number(one[column]) + Number(other[column]));
    putPart(scratch, layout, one[name!]!, numbers);
    own.set(key, scratch.bytes.toString('latin1', partHead, scratch.length));
  });
  return expected;
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
