import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { isRejected } from '../../media-pipeline/plan/reject.ts';
import { inspect } from '../../media-pipeline/steps/inspect.ts';
import { type MadeFiles, make } from '../../media-pipeline/steps/make.ts';
import { canvas, metadataMarks, noise, onePlainPng, turned, withGps } from './pictures.ts';

const maxPixels = 100_000_000;

async function accepted(bytes: Buffer): Promise<MadeFiles & { width: number; height: number }> {
  const original = await inspect(bytes, maxPixels);
  if (isRejected(original)) throw new Error(original.rejected);
  const made = await make(bytes, original, maxPixels);
  if (isRejected(made)) throw new Error(made.rejected);
  return { ...original, ...made };
}

async function verdict(bytes: Buffer, limit = maxPixels): Promise<string> {
  const original = await inspect(bytes, limit);
  if (isRejected(original)) return original.rejected;
  const made = await make(bytes, original, limit);
  return isRejected(made) ? made.rejected : 'ready';
}

function fileOf(made: MadeFiles, name: string, format = 'jpeg'): Buffer {
  return made.files.find((file) => file.size.name === name && file.format.format === format)!.body;
}

async function colorAt(file: Buffer, left: number, top: number): Promise<number[]> {
  const region = { left, top, width: 1, height: 1 };
  return [...(await sharp(file).removeAlpha().extract(region).raw().toBuffer())];
}

describe('what is made', () => {
  it('has every size in both formats, as planned', async () => {
    const made = await accepted(await noise(2000, 1500).jpeg().toBuffer());
    const found = await Promise.all(
      made.files.map(async ({ body, size, format }) => {
        const { width, height, format: really } = await sharp(body).metadata();
        expect({ width, height, really }).toEqual({
          width: size.width,
          height: size.height,
          really: format.format,
        });
        return `${size.name}.${format.extension}`;
      }),
    );
    expect(found.sort()).toEqual(
      ['thumbnail', 'small', 'medium', 'large'].flatMap((name) => [`${name}.jpg`, `${name}.webp`]).sort(),
    );
    expect((await sharp(fileOf(made, 'large')).metadata()).isProgressive).toBe(true);
  });

  it.each([1, 3, 6, 8] as const)('stands upright with orientation %i', async (orientation) => {
    const made = await accepted(await turned(orientation));
    expect([made.width, made.height]).toEqual([120, 80]);
    for (const format of ['jpeg', 'webp']) {
      const large = fileOf(made, 'large', format);
      expect((await sharp(large).metadata()).orientation).toBeUndefined();
      const [red, blue] = [await colorAt(large, 10, 40), await colorAt(large, 110, 40)];
      expect(red[0]! - red[2]!).toBeGreaterThan(150);
      expect(blue[2]! - blue[0]!).toBeGreaterThan(150);
    }
  });

  it('does not say where a photograph was taken', async () => {
    const original = await withGps();
    expect((await sharp(original).metadata()).exif?.length).toBeGreaterThan(100);
    expect(original.includes('Exif\0\0') && original.includes('GPS')).toBe(true);
    const made = await accepted(original);
    for (const { body } of made.files) {
      const { exif, xmp, iptc, icc, tifftagPhotoshop } = await sharp(body).metadata();
      expect([exif, xmp, iptc, icc, tifftagPhotoshop]).toEqual(Array(5).fill(undefined));
      for (const mark of metadataMarks) expect(body.includes(mark)).toBe(false);
    }
  });

  it('is sRGB, by the colour profile of the picture', async () => {
    const p3 = await canvas(300, 200, '#00ff00').withIccProfile('p3').png().toBuffer();
    const wide = await sharp(p3, { ignoreIcc: true }).raw().toBuffer();
    expect(wide[0]).toBeGreaterThan(60);
    const [red, green] = await colorAt(fileOf(await accepted(p3), 'large'), 100, 100);
    expect(red).toBeLessThan(12);
    expect(green).toBeGreaterThan(245);
  });

  it('takes grey, 16-bit and CMYK pictures', async () => {
    const kinds = [
      canvas(50, 40).grayscale().png(),
      canvas(50, 40).toColourspace('rgb16').png(),
      canvas(50, 40).toColourspace('cmyk').jpeg(),
    ];
    for (const kind of kinds) expect(await verdict(await kind.toBuffer())).toBe('ready');
  });

  it('keeps transparency in WebP and lies on white in JPEG', async () => {
    const clear = await sharp({ create: { width: 200, height: 200, channels: 4, background: '#ff000000' } })
      .png()
      .toBuffer();
    const made = await accepted(clear);
    expect((await sharp(fileOf(made, 'large', 'webp')).metadata()).hasAlpha).toBe(true);
    expect(await colorAt(fileOf(made, 'large'), 5, 5)).toEqual([255, 255, 255]);
  });

  it('is the first frame of an animation', async () => {
    const frames = Buffer.concat([
      await canvas(40, 40, '#ff0000').raw().toBuffer(),
      await canvas(40, 40, '#0000ff').raw().toBuffer(),
    ]);
    const raw = { width: 40, height: 80, channels: 3 as const, pageHeight: 40 };
    for (const animation of [sharp(frames, { raw }).gif(), sharp(frames, { raw }).webp()]) {
      const made = await accepted(await animation.toBuffer());
      expect([made.width, made.height]).toEqual([40, 40]);
      expect((await colorAt(fileOf(made, 'large'), 20, 20))[0]).toBeGreaterThan(200);
    }
  });

  it('reads AVIF', async () => {
    expect(await verdict(await canvas(64, 64).avif({ effort: 0 }).toBuffer())).toBe('ready');
  });

  it('has a placeholder and a dominant colour', async () => {
    const made = await accepted(await canvas(400, 300, '#3366cc').png().toBuffer());
    expect(made.dominantColor).toBe('#3366cc');
    expect(Buffer.from(made.placeholder, 'base64').length).toBeGreaterThan(4);
  });

  it('is the same when it is made again', async () => {
    const photo = await noise(700, 500).jpeg().toBuffer();
    expect(await accepted(photo)).toEqual(await accepted(photo));
  });
});

describe('what is refused', () => {
  it('is text, nothing at all, and what only calls itself a picture', async () => {
    for (const bytes of [
      Buffer.from('hello, this is no picture'),
      Buffer.alloc(0),
      Buffer.from('\xff\xd8'),
    ]) {
      expect(await verdict(bytes)).toBe('media_not_an_image');
    }
  });

  it('is a picture of a type that is not taken', async () => {
    expect(await verdict(await canvas(20, 20).tiff().toBuffer())).toBe('media_type_unsupported');
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>');
    expect(await verdict(svg)).toBe('media_not_an_image');
  });

  it.each(['jpeg', 'png', 'gif', 'webp'] as const)('is a %s that was cut off', async (format) => {
    const whole = await noise(300, 300).toFormat(format).toBuffer();
    expect(await verdict(whole)).toBe('ready');
    for (const part of [0.05, 0.5, 0.9]) {
      expect(await verdict(whole.subarray(0, whole.length * part))).toBe('media_broken');
    }
  });

  it('is a decompression bomb, without decoding it', async () => {
    const bomb = onePlainPng(20_000);
    expect(await verdict(onePlainPng(200))).toBe('ready');
    expect(bomb.length).toBeLessThan(100_000);
    const [began, memory] = [performance.now(), process.memoryUsage().rss];
    expect(await verdict(bomb)).toBe('media_too_many_pixels');
    expect(performance.now() - began).toBeLessThan(500);
    expect(process.memoryUsage().rss - memory).toBeLessThan(50_000_000);
  });
});

describe('what lies behind a picture', () => {
  const behind: [string, string][] = [
    ['a page', '<html><script>alert(1)</script></html>'],
    ['a program of a server', '\n<?php system($_GET["c"]);'],
    ['an archive', `PK\x05\x06${'\0'.repeat(18)}`],
  ];

  it.each(behind)('makes it a polyglot: %s', async (_, text) => {
    for (const format of ['jpeg', 'png', 'gif', 'webp', 'avif'] as const) {
      const picture = await canvas(30, 20).toFormat(format).toBuffer();
      expect(await verdict(picture)).toBe('ready');
      const polyglot = Buffer.concat([picture, Buffer.from(text, 'latin1')]);
      expect([format, await verdict(polyglot)]).toEqual([format, 'media_polyglot']);
    }
  });

  it('is a document when its mark is at the start', async () => {
    const picture = await canvas(30, 20)
      .withExif({ IFD0: { Copyright: '%PDF-1.7' } })
      .jpeg()
      .toBuffer();
    expect(await verdict(picture)).toBe('media_polyglot');
  });

  it("is left behind when it is a phone's, such as a second picture", async () => {
    const second = await noise(100, 100).jpeg().toBuffer();
    const photo = Buffer.concat([await noise(300, 200).jpeg({ progressive: true }).toBuffer(), second]);
    expect(await verdict(photo)).toBe('ready');
    const made = await accepted(photo);
    expect(made.files.every(({ body }) => !body.includes(second.subarray(-64)))).toBe(true);
  });
});
