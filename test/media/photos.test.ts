import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { isRejected } from '../../media-pipeline/plan/reject.ts';
import { inspect } from '../../media-pipeline/steps/inspect.ts';
import { make } from '../../media-pipeline/steps/make.ts';
import { metadataMarks } from './pictures.ts';

// Real photographs are no part of this repository: without them beside it these tests are shown as skipped.
const folder = path.join(import.meta.dirname, '../../../shared/data/photos');
const photos = existsSync(folder) ? readdirSync(folder) : [];
const maxPixels = 100_000_000;

/** Known to be damaged in the middle of its picture; viewers show grey blocks. */
const damaged = new Set(['corrupted.jpg']);

describe.skipIf(photos.length === 0)('real photographs', () => {
  it.each(photos)('%s', async (name) => {
    const bytes = readFileSync(path.join(folder, name));
    const original = await inspect(bytes, maxPixels);
    if (isRejected(original)) throw new Error(original.rejected);
    const made = await make(bytes, original, maxPixels);
    if (isRejected(made)) {
      expect([name, made.rejected]).toEqual([[...damaged].find((known) => known === name), 'media_broken']);
      return;
    }
    expect(made.files).toHaveLength(8);
    for (const { body, size } of made.files) {
      const { width, height, exif, xmp, iptc, icc, orientation } = await sharp(body).metadata();
      expect([width, height]).toEqual([size.width, size.height]);
      expect([exif, xmp, iptc, icc, orientation]).toEqual(Array(5).fill(undefined));
      // Six bytes do not come about by chance, three or four may: the short marks are left to the parsed metadata.
      for (const mark of metadataMarks.filter((text) => text.length > 4))
        expect(body.includes(mark)).toBe(false);
    }
  });
});

it.skipIf(photos.length > 0)('real photographs are not beside this repository', () => {});
