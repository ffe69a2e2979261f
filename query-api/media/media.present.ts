import type { z } from 'zod';
import type { Media, PostMedia } from '../../schemas/shapes.ts';
import type { MediaRow } from './media.reads.ts';

/** A media as it stands in a post; one that is not ready, or not known here yet, shows nothing of itself. */
export function presentPostMedia(
  id: string,
  row: MediaRow | undefined,
  publicUrl: string,
): z.input<typeof PostMedia> {
  if (row?.state !== 'ready') return { id, ...nothing };
  const { width, height, placeholder, dominantColor } = row;
  const variants = row.variants.map(({ name, format, width, height, objectKey }) => ({
    name,
    format,
    width,
    height,
    url: `${publicUrl}/${objectKey}`,
  }));
  return { id, width, height, placeholder, dominantColor, variants };
}

export function presentMedia(row: MediaRow, publicUrl: string): z.input<typeof Media> {
  return { ...presentPostMedia(row.id, row, publicUrl), state: row.state, reason: row.reason };
}

/** The small square of somebody's picture; null when there is none that is theirs and ready. */
export function presentAvatar(userId: string, row: MediaRow | undefined, publicUrl: string): string | null {
  if (row?.state !== 'ready' || row.ownerId !== userId) return null;
  const jpegs = row.variants.filter((variant) => variant.format === 'jpeg');
  const chosen = jpegs.find((variant) => variant.name === 'thumbnail') ?? jpegs[0];
  return chosen ? `${publicUrl}/${chosen.objectKey}` : null;
}

const nothing = { width: null, height: null, placeholder: null, dominantColor: null, variants: [] };
