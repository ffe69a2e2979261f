import { crashPoint } from '../../platform/process/crash-points.ts';
import type { Storage } from '../../platform/storage/s3.ts';
import type { MasterKey } from '../../platform/vault/master-key.ts';
import { originalsOf, tokenPurpose, variantsOf } from '../plan/keys.ts';
import { eachAtOnce } from '../run/each.ts';

export interface Store {
  storage: Storage;
  master: Pick<MasterKey, 'hmac'>;
}

/** Media whose objects are removed side by side. */
const atOnce = 8;

/**
 * Removes every object of somebody: of each original the variants first, because the originals tell what there is. So
 * whoever dies in between leaves what the next one needs. Gives how many there were.
 */
export async function eraseObjects({ storage, master }: Store, ownerId: string): Promise<number> {
  let removed = 0;
  for (;;) {
    const originals = await storage.list(originalsOf(ownerId));
    if (originals.length === 0) return removed;
    const mediaIds = originals.map((key) => key.slice(originalsOf(ownerId).length));
    await eachAtOnce(mediaIds, atOnce, async (mediaId) => {
      removed += await eraseVariants({ storage, master }, mediaId);
    });
    crashPoint('media.erase.variants-removed');
    await storage.remove(originals);
    removed += originals.length;
  }
}

/** Also those whose original is gone already. */
export async function eraseVariants({ storage, master }: Store, mediaId: string): Promise<number> {
  const variants = await storage.list(variantsOf(master.hmac(tokenPurpose, mediaId)));
  await storage.remove(variants);
  return variants.length;
}
