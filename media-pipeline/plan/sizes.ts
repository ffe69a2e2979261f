export interface Dimensions {
  width: number;
  height: number;
}

export interface PlannedSize extends Dimensions {
  name: 'thumbnail' | 'small' | 'medium' | 'large';
  /** cover cuts what does not fit; scale keeps the whole picture. */
  fit: 'cover' | 'scale';
}

export interface SizePlan {
  /** The one decoded picture that every size is made from. */
  intermediate: Dimensions;
  sizes: PlannedSize[];
}

const thumbnailSide = 150;

/** By width, as in the field: a feed is a column. */
const widths = [
  { name: 'small', width: 320 },
  { name: 'medium', width: 640 },
  { name: 'large', width: 1080 },
] as const;

/** A strip is bounded by its height instead: WebP ends at 16,383 pixels, and memory before that. */
const tallest = 4;

/** Pixels of the intermediate: 64 MB of RGBA. A photo's has 1 to 2 million. */
const intermediatePixels = 16_000_000;

/**
 * The sizes of a picture (dimensions after orientation). None is larger than the picture: what is smaller keeps its
 * own size under every name, so that a client finds each name always.
 */
export function planSizes(original: Dimensions): SizePlan {
  const intermediate = scaled(original, intermediateScale(original));
  const sizes = widths.map(({ name, width }): PlannedSize => {
    const size = scaled(original, scaleWithin(original, { width, height: width * tallest }));
    return { name, fit: 'scale', ...smaller(size, intermediate) };
  });
  const side = Math.min(thumbnailSide, intermediate.width, intermediate.height);
  return { intermediate, sizes: [{ name: 'thumbnail', fit: 'cover', width: side, height: side }, ...sizes] };
}

/** Large enough for the large size, and for a thumbnail of a strip that is thin once it is large. */
function intermediateScale(original: Dimensions): number {
  const large = scaleWithin(original, { width: 1080, height: 1080 * tallest });
  const thumbnail = thumbnailSide / Math.min(original.width, original.height);
  const affordable = Math.sqrt(intermediatePixels / (original.width * original.height));
  return Math.min(1, Math.max(large, thumbnail), affordable);
}

function scaleWithin(original: Dimensions, box: Dimensions): number {
  return Math.min(1, box.width / original.width, box.height / original.height);
}

function scaled(original: Dimensions, scale: number): Dimensions {
  const side = (length: number): number => Math.max(1, Math.round(length * scale));
  return { width: side(original.width), height: side(original.height) };
}

function smaller(a: Dimensions, b: Dimensions): Dimensions {
  return { width: Math.min(a.width, b.width), height: Math.min(a.height, b.height) };
}

/** The little picture that placeholder and dominant colour are taken from: at most 100 a side (thumbhash's limit). */
export function placeholderSize(picture: Dimensions): Dimensions {
  return scaled(picture, scaleWithin(picture, { width: 100, height: 100 }));
}
