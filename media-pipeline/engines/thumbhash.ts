import { rgbaToThumbHash } from 'thumbhash';
import type { Pixels } from './image.ts';

/** About 25 bytes in base64 from which a client paints a blurred picture. Takes RGBA, at most 100 pixels a side. */
export function placeholderOf(little: Pixels): string {
  return Buffer.from(rgbaToThumbHash(little.width, little.height, little.data)).toString('base64');
}
