import { BrokenImage, decode, encode, type Pixels, shrink } from '../engines/image.ts';
import { placeholderOf } from '../engines/thumbhash.ts';
import { dominantColor } from '../plan/dominant-color.ts';
import { type OutputFormat, outputFormats } from '../plan/formats.ts';
import { type Rejected, reject } from '../plan/reject.ts';
import { type Dimensions, type PlannedSize, placeholderSize, planSizes } from '../plan/sizes.ts';

export interface MadeFile {
  size: PlannedSize;
  format: OutputFormat;
  body: Buffer;
}

export interface MadeFiles {
  files: MadeFile[];
  /** thumbhash, base64 */
  placeholder: string;
  /** #rrggbb */
  dominantColor: string;
}

/** Every size in every format, from one decoding. Only decoding meets the client's bytes, so only it can reject. */
export async function make(
  bytes: Buffer,
  original: Dimensions,
  maxPixels: number,
): Promise<MadeFiles | Rejected> {
  const { intermediate, sizes } = planSizes(original);
  let picture: Pixels;
  try {
    picture = await decode(bytes, intermediate, maxPixels);
  } catch (error) {
    if (error instanceof BrokenImage) return reject('media_broken');
    throw error;
  }
  const wanted = sizes.flatMap((size) => outputFormats.map((format) => ({ size, format })));
  const encoding = wanted.map(async ({ size, format }) => ({
    size,
    format,
    body: await encode(picture, size, format),
  }));
  const [little, ...files] = await Promise.all([shrink(picture, placeholderSize(intermediate)), ...encoding]);
  return { files, placeholder: placeholderOf(little), dominantColor: dominantColor(little.data) };
}
