import sharp, { type Sharp } from 'sharp';
import type { OutputFormat } from '../plan/formats.ts';
import type { Dimensions, PlannedSize } from '../plan/sizes.ts';

/** A decoded picture: 8 bits a channel, sRGB, upright, without metadata. */
export interface Pixels extends Dimensions {
  channels: 3 | 4;
  data: Buffer;
}

/** The bytes are not a whole picture. No retry mends that. */
export class BrokenImage extends Error {
  override name = 'BrokenImage';
}

// libvips reads far more than we take (SVG, TIFF, PDF …), and each reader is code that meets a stranger's bytes.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((format) => `VipsForeignLoad${format}Buffer`),
});
// No two uploads are the same picture, so a cache of operations would only hold memory.
sharp.cache(false);
// One thread a picture: with two pictures at a time and their sizes encoded side by side both cores are full, and
// more threads a picture gain nothing (62 ms a photo with one and with two).
sharp.concurrency(1);

/** Damage fails, what a decoder only remarks on does not: phones write files that earn a remark. */
const tolerance = { failOn: 'error', animated: false } as const;

/** Width and height with the orientation applied. Reads the header only, so a decompression bomb costs nothing. */
export async function readDimensions(bytes: Buffer): Promise<Dimensions> {
  try {
    const { autoOrient } = await sharp(bytes, { ...tolerance, limitInputPixels: false }).metadata();
    return autoOrient;
  } catch (error) {
    throw broken(error);
  }
}

/**
 * Decodes once, to the size that everything else is made from: upright, in sRGB by the picture's own colour profile,
 * and as bare pixels, so nothing of EXIF, GPS, XMP or what lay behind the picture's end can come along.
 */
export async function decode(bytes: Buffer, to: Dimensions, maxPixels: number): Promise<Pixels> {
  try {
    const { data, info } = await sharp(bytes, { ...tolerance, limitInputPixels: maxPixels })
      .autoOrient()
      .resize(to.width, to.height, { fit: 'fill' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height, channels: info.channels as 3 | 4 };
  } catch (error) {
    throw broken(error);
  }
}

/**
 * One size in one format. The effort is bounded by what it brings here: mozjpeg takes five times as long to save 13 %,
 * WebP's usual effort (4) twice as long to save 2 %.
 */
export function encode(picture: Pixels, size: PlannedSize, format: OutputFormat): Promise<Buffer> {
  const resized = open(picture).resize(size.width, size.height, {
    fit: size.fit === 'cover' ? 'cover' : 'fill',
  });
  if (format.format === 'webp') return resized.webp({ quality: format.quality, effort: 2 }).toBuffer();
  return resized
    .flatten({ background: '#ffffff' })
    .jpeg({ quality: format.quality, progressive: true })
    .toBuffer();
}

/** The same picture in a smaller size, as RGBA. */
export async function shrink(picture: Pixels, to: Dimensions): Promise<Pixels> {
  const { data, info } = await open(picture)
    .resize(to.width, to.height, { fit: 'fill' })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: 4 };
}

function open({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
}

function broken(error: unknown): BrokenImage {
  return new BrokenImage((error as Error).message, { cause: error });
}
