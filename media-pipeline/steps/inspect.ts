import { mediaTypeOf } from '../engines/file-type.ts';
import { BrokenImage, readDimensions } from '../engines/image.ts';
import { judgeType } from '../plan/formats.ts';
import { isPolyglot } from '../plan/polyglot.ts';
import { type Rejected, reject } from '../plan/reject.ts';
import type { Dimensions } from '../plan/sizes.ts';

/** What can be said of the bytes before a pixel is decoded: their type, that they are one thing only, their size. */
export async function inspect(bytes: Buffer, maxPixels: number): Promise<Dimensions | Rejected> {
  const refused = judgeType(await mediaTypeOf(bytes));
  if (refused) return refused;
  if (isPolyglot(bytes)) return reject('media_polyglot');
  const dimensions = await readDimensions(bytes).catch((error) => {
    if (error instanceof BrokenImage) return reject('media_broken');
    throw error;
  });
  if ('rejected' in dimensions) return dimensions;
  if (dimensions.width * dimensions.height > maxPixels) return reject('media_too_many_pixels');
  return dimensions;
}
