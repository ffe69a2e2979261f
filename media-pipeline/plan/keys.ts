import type { OutputFormat } from './formats.ts';
import type { PlannedSize } from './sizes.ts';

/** What the token of a media's objects is the HMAC for. */
export const tokenPurpose = 'media-variants';

/**
 * Where a variant is stored: `m/<token>/<name>.<extension>`. The token is an HMAC of the media id, so nobody can
 * guess it, and a repeat after a crash writes the very same keys and leaves no orphans.
 */
export function variantKey(mac: Buffer, name: PlannedSize['name'], format: OutputFormat): string {
  return `${variantsOf(mac)}${name}.${format.extension}`;
}

/** What the keys of all variants of a media begin with, those of other releases too. */
export function variantsOf(mac: Buffer): string {
  return `m/${mac.toString('hex').slice(0, 32)}/`;
}

/** What the keys of somebody's originals begin with; behind it stands the media id (command-api/media). */
export function originalsOf(ownerId: string): string {
  return `o/${ownerId}/`;
}

/** Not immutable: an object may be removed or moved, and then caches must let go of it within the hour (F-ME6). */
export const variantCacheControl = 'public, max-age=3600';
