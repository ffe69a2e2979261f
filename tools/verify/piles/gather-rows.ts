import { startPhase } from '../../load/progress.ts';
import type { Digest } from '../bytes/cells.ts';
import { bucketHash, rowAt } from '../bytes/layout.ts';
import type { Snapshot } from '../snapshot.ts';
import { countRowsPile, rowsPile, type Subject } from './gather.ts';
import { readRows, rowHead } from './rows.ts';
import type { Spill } from './spill.ts';

/** Spreads every row of every table, as the snapshot has them, over the piles. */
export async function gatherRows(
  snapshot: Snapshot,
  subjects: readonly Subject[],
  spill: Spill,
  digest: Digest,
): Promise<void> {
  const phase = startPhase('rows', 0);
  try {
    for (const { spec, layouts, state, buckets, shownErased } of subjects) {
      for (const layout of layouts) {
        const isErased = spec.rowsFirst && layout.table === spec.erasure?.people;
        const pile = layout.isRegister ? rowsPile : countRowsPile;
        await readRows(snapshot.client, state.schema, layout, digest, (bytes, length) => {
          const bucket = bucketHash(layout, bytes, rowHead) % buckets;
          spill.add(pile(state.model, bucket), bytes, length);
          if (isErased) shownErased.add(rowAt(layout, bytes.subarray(0, length), rowHead).user_id!);
          phase.step();
        });
      }
    }
  } finally {
    phase.end();
  }
}
