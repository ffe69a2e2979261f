import { createScratch } from '../bytes/cells.ts';
import { addRow, type Checksum, newChecksum } from '../bytes/checksum.ts';
import { completedBytes, rowAt } from '../bytes/layout.ts';
import { type Subject, unrevealed } from '../piles/gather.ts';
import { keyWasThere, rowHead } from '../piles/rows.ts';
import type { Spill } from '../piles/spill.ts';
import { type ModelResult, openComparison } from '../results.ts';
import { createCounts } from './counts.ts';
import {
  type Beyond,
  type Folded,
  foldFacts,
  isRow,
  keyText,
  registersOf,
  takeAhead,
  type Winners,
  winnerBytes,
  winnerRow,
} from './fold.ts';

export interface RegisterPiles {
  facts: string;
  rows: string;
}

/** Folds the facts of a pile and compares the rows of another with them; what they count goes to further piles. */
export function compareRegisters(
  subject: Subject,
  spill: Spill,
  piles: RegisterPiles,
  result: ModelResult,
  beyond: Beyond,
): void {
  const folded = foldFacts(subject, (take) => spill.each(piles.facts, take));
  showAhead(subject, spill, piles.rows, folded, beyond);
  const { winners } = folded;
  const comparison = openComparison(subject, result, complete(subject, winners, spill));
  spill.each(piles.rows, (record) => {
    const layout = subject.layouts[record[0]!]!;
    const own = winners[layout.index]!;
    const key = keyText(layout, record, rowHead);
    const winner = own.get(key);
    own.delete(key);
    if (isRow(winner, record.toString('latin1', rowHead))) return;
    const wanted = winner === undefined ? null : rowOf(winner);
    const found = Buffer.from(record.subarray(rowHead));
    const lostKey = winner !== undefined && (winner.charCodeAt(0) & unrevealed) !== 0;
    if (wanted && lostKey && record[1] === keyWasThere) comparison.erased(layout, wanted, found);
    else comparison.differ(layout, wanted, found);
  });
  winners.forEach((own, table) => {
    for (const winner of own.values()) comparison.differ(subject.layouts[table]!, rowOf(winner), null);
  });
  comparison.end();
}

function rowOf(winner: string): Buffer {
  return winnerBytes(winner).subarray(winnerRow);
}

function showAhead(
  { spec, layouts }: Subject,
  spill: Spill,
  rows: string,
  folded: Folded,
  beyond: Beyond,
): void {
  if (!spec.rowsFirst || folded.ahead.every((table) => table.size === 0)) return;
  spill.each(rows, (record) => {
    const key = keyText(layouts[record[0]!]!, record, rowHead);
    takeAhead(folded, beyond, record[0]!, key, record.toString('latin1', rowHead));
  });
}

/** Adds the columns that follow from other rows, counts, and gives the sum of each table's rows as they must be. */
function complete(subject: Subject, winners: Winners, spill: Spill): Checksum[] {
  const { spec, layouts } = subject;
  const registers = registersOf(subject, winners);
  const scratch = createScratch();
  const counts = createCounts(subject);
  const sums = winners.map(newChecksum);
  winners.forEach((own, table) => {
    const layout = layouts[table]!;
    for (const [key, winner] of own) {
      let bytes = winnerBytes(winner);
      if (spec.complete || spec.counted) {
        const said = rowAt(layout, bytes, winnerRow);
        const row = spec.complete?.(layout.table, said, registers) ?? said;
        counts.add(layout.table, row);
        if (layout.completedCells > 0) bytes = completedBytes(scratch, layout, bytes, row);
        if (layout.completedCells > 0) own.set(key, bytes.toString('latin1'));
      }
      addRow(sums[table]!, bytes.subarray(winnerRow));
    }
  });
  counts.spillTo(spill);
  return sums;
}
