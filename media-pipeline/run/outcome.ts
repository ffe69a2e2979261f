import { crashPoint } from '../../platform/process/crash-points.ts';
import type { Storage } from '../../platform/storage/s3.ts';
import type { MasterKey } from '../../platform/vault/master-key.ts';
import type { EventOf } from '../../schemas/generated/events.ts';
import { tokenPurpose } from '../plan/keys.ts';
import { readyEvent, rejectedEvent } from '../plan/outcome.ts';
import { isRejected } from '../plan/reject.ts';
import { fetchOriginal } from '../steps/fetch.ts';
import { inspect } from '../steps/inspect.ts';
import { make } from '../steps/make.ts';
import { storeVariants } from '../steps/store.ts';
import type { Budget } from './budget.ts';

export interface Workshop {
  storage: Storage;
  master: Pick<MasterKey, 'hmac'>;
  limits: { maxPixels: number };
  /** Pixels decoded at a time: as many as the largest picture may have, whose decoder can take a gigabyte. */
  pixels: Budget;
}

export type Outcome = EventOf<'MediaReady'> | EventOf<'MediaRejected'>;

/**
 * From an upload to what became of it. The same upload gives the same outcome under the same keys, so a crash at any
 * step is mended by doing it again. Throws ProblemError when the store is out of order; the bytes never make it throw.
 */
export async function outcomeOf(cause: EventOf<'MediaUploaded'>, workshop: Workshop): Promise<Outcome> {
  const { storage, master, limits, pixels } = workshop;
  const bytes = await fetchOriginal(storage, cause.objectKey);
  if (isRejected(bytes)) return rejectedEvent(cause, bytes.rejected);
  crashPoint('media.after-fetch');

  const original = await inspect(bytes, limits.maxPixels);
  if (isRejected(original)) return rejectedEvent(cause, original.rejected);

  const made = await pixels.spend(original.width * original.height, () =>
    make(bytes, original, limits.maxPixels),
  );
  if (isRejected(made)) return rejectedEvent(cause, made.rejected);
  crashPoint('media.after-make');

  const variants = await storeVariants(storage, master.hmac(tokenPurpose, cause.mediaId), made.files);
  crashPoint('media.after-store');
  return readyEvent(cause, { ...original, ...made, variants });
}
