import { describe, expect, it } from 'vitest';
import { dominantColor } from '../../media-pipeline/plan/dominant-color.ts';
import { judgeType, outputFormats } from '../../media-pipeline/plan/formats.ts';
import { variantKey } from '../../media-pipeline/plan/keys.ts';
import { readyEvent, rejectedEvent } from '../../media-pipeline/plan/outcome.ts';
import { placeholderSize, planSizes } from '../../media-pipeline/plan/sizes.ts';
import type { MediaUploaded } from '../../schemas/generated/events.ts';

function sizesOf(width: number, height: number): Record<string, string> {
  const sizes = planSizes({ width, height }).sizes.map((s) => [s.name, `${s.width}x${s.height}`]);
  return Object.fromEntries(sizes);
}

describe('sizes', () => {
  it('go by width and keep the proportions', () => {
    expect(sizesOf(4000, 3000)).toEqual({
      thumbnail: '150x150',
      small: '320x240',
      medium: '640x480',
      large: '1080x810',
    });
    expect(sizesOf(3000, 4000)).toMatchObject({ small: '320x427', large: '1080x1440' });
  });

  it('never enlarge', () => {
    expect(sizesOf(500, 400)).toEqual({
      thumbnail: '150x150',
      small: '320x256',
      medium: '500x400',
      large: '500x400',
    });
    expect(sizesOf(100, 68)).toEqual({
      thumbnail: '68x68',
      small: '100x68',
      medium: '100x68',
      large: '100x68',
    });
    expect(sizesOf(1, 1)).toMatchObject({ thumbnail: '1x1', large: '1x1' });
  });

  it('bound strips, which WebP and memory do not take', () => {
    expect(sizesOf(1000, 100_000)).toMatchObject({ large: '43x4320', small: '13x1280' });
    expect(sizesOf(20_000, 500)).toMatchObject({ thumbnail: '150x150', large: '1080x27' });
    const { intermediate } = planSizes({ width: 1_000_000, height: 100 });
    expect(intermediate.width * intermediate.height).toBeLessThanOrEqual(16_100_000);
  });

  it('of the placeholder stay within what thumbhash takes', () => {
    expect(placeholderSize({ width: 1080, height: 810 })).toEqual({ width: 100, height: 75 });
    expect(placeholderSize({ width: 10, height: 1_000 })).toEqual({ width: 1, height: 100 });
  });
});

describe('types', () => {
  it('are judged by what the bytes say', () => {
    expect(judgeType('image/jpeg')).toBeNull();
    expect(judgeType('image/heic')).toEqual({ rejected: 'media_type_unsupported' });
    expect(judgeType('video/mp4')).toEqual({ rejected: 'media_type_unsupported' });
    expect(judgeType('application/pdf')).toEqual({ rejected: 'media_not_an_image' });
    expect(judgeType(undefined)).toEqual({ rejected: 'media_not_an_image' });
  });
});

describe('dominant colour', () => {
  const pixels = (...colors: number[][]): Uint8Array => Uint8Array.from(colors.flat());

  it('is what most pixels have, transparent ones left out', () => {
    const red = [250, 4, 2, 255];
    expect(dominantColor(pixels(red, red, [0, 0, 255, 255], ...Array(5).fill([0, 255, 0, 0])))).toBe(
      '#fa0402',
    );
    expect(dominantColor(pixels([9, 9, 9, 0]))).toBe('#ffffff');
  });
});

describe('outcome', () => {
  const cause: MediaUploaded = {
    type: 'MediaUploaded',
    meta: {
      id: '0199d000-0000-7000-8000-000000000001',
      source: '/command-api',
      time: 1_760_000_000_000,
      actor: 'someone',
      correlation: 'a'.repeat(32),
      causation: null,
    },
    mediaId: '0199d000-0000-7000-8000-000000000002',
    ownerId: '0199d000-0000-7000-8000-000000000003',
    objectKey: 'o/x',
  };
  const made = { width: 1, height: 1, placeholder: '', dominantColor: '#000000', variants: [] };

  it('is one fact however often it is made, whatever it is', () => {
    const ready = readyEvent(cause, made);
    expect(readyEvent(cause, made)).toEqual(ready);
    expect(rejectedEvent(cause, 'media_broken').meta).toEqual(ready.meta);
    expect(ready.meta.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  });

  it('of bytes that are gone is another, and older: they were there for who has decided before', () => {
    const [found, gone] = [rejectedEvent(cause, 'media_broken'), rejectedEvent(cause, 'media_missing')];
    expect(gone.meta.id).not.toBe(found.meta.id);
    expect(gone.meta.time).toBeGreaterThan(cause.meta.time);
    expect(gone.meta.time).toBeLessThan(found.meta.time);
  });

  it('is newer than its cause and tells it', () => {
    const { meta } = readyEvent(cause, made);
    expect(meta).toMatchObject({
      time: cause.meta.time + 2,
      causation: cause.meta.id,
      correlation: cause.meta.correlation,
      actor: null,
    });
  });

  it('has keys that are the same for the same media', () => {
    const mac = Buffer.alloc(32, 0xab);
    expect(variantKey(mac, 'large', outputFormats[0]!)).toBe(`m/${'ab'.repeat(16)}/large.jpg`);
  });
});
