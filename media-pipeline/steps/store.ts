import type { Storage } from '../../platform/storage/s3.ts';
import type { MediaVariant } from '../../schemas/generated/events.ts';
import { variantCacheControl, variantKey } from '../plan/keys.ts';
import type { MadeFile } from './make.ts';

/** Puts every file under its key; a repeat overwrites each with the same. */
export function storeVariants(
  storage: Storage,
  mac: Buffer,
  files: readonly MadeFile[],
): Promise<MediaVariant[]> {
  return Promise.all(files.map((file) => storeVariant(storage, mac, file)));
}

async function storeVariant(storage: Storage, mac: Buffer, file: MadeFile): Promise<MediaVariant> {
  const { size, format, body } = file;
  const objectKey = variantKey(mac, size.name, format);
  await storage.put(objectKey, body, {
    contentType: format.contentType,
    cacheControl: variantCacheControl,
  });
  return {
    name: size.name,
    format: format.format,
    width: size.width,
    height: size.height,
    bytes: body.length,
    objectKey,
  };
}
