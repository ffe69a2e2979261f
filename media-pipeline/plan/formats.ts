import { type Rejected, reject } from './reject.ts';

/** Types that are taken, by what their bytes say. Of an animation the first frame is. */
const accepted = new Set(['image/jpeg', 'image/png', 'image/apng', 'image/gif', 'image/webp', 'image/avif']);

/** What to do with bytes of this media type; undefined when nobody knows them. */
export function judgeType(mime: string | undefined): null | Rejected {
  if (mime !== undefined && accepted.has(mime)) return null;
  const picture = mime?.startsWith('image/') || mime?.startsWith('video/');
  return reject(picture ? 'media_type_unsupported' : 'media_not_an_image');
}

export interface OutputFormat {
  format: 'jpeg' | 'webp';
  extension: string;
  contentType: string;
  quality: number;
}

/** What every size is made in. Neither is lossless; transparency is white in JPEG and stays in WebP. */
export const outputFormats: readonly OutputFormat[] = [
  { format: 'jpeg', extension: 'jpg', contentType: 'image/jpeg', quality: 85 },
  { format: 'webp', extension: 'webp', contentType: 'image/webp', quality: 80 },
];
