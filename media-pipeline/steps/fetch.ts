import type { Storage } from '../../platform/storage/s3.ts';
import { maxImageBytes } from '../../schemas/media/image.ts';
import { type Rejected, reject } from '../plan/reject.ts';

/** The uploaded bytes. The size that the client announced is never believed. */
export async function fetchOriginal(storage: Storage, objectKey: string): Promise<Buffer | Rejected> {
  const fetched = await storage.get(objectKey, { maxBytes: maxImageBytes });
  if (fetched.found === 'nothing') return reject('media_missing');
  if (fetched.found === 'too_large') return reject('media_too_large');
  return fetched.body;
}
