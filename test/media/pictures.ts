import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

/** Marks that only metadata has; none of them may be in anything we serve. */
export const metadataMarks = ['Exif\0\0', 'EXIF', 'GPS', 'http://ns.adobe.com/xap', 'ICC_PROFILE', 'ICCP'];

export function canvas(width: number, height: number, background = '#3366cc'): Sharp {
  return sharp({ create: { width, height, channels: 3, background }, limitInputPixels: false });
}

/** Left half red, right half blue as it should be seen; stored turned, with the EXIF orientation that undoes it. */
export async function turned(orientation: 1 | 3 | 6 | 8): Promise<Buffer> {
  const turnBack = { 1: 0, 3: 180, 6: 270, 8: 90 }[orientation];
  const red = await canvas(60, 80, '#ff0000').png().toBuffer();
  const upright = await canvas(120, 80, '#0000ff')
    .composite([{ input: red, left: 0, top: 0 }])
    .png()
    .toBuffer();
  return sharp(upright).rotate(turnBack).withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();
}

/** A photograph that says where it was taken. */
export function withGps(): Promise<Buffer> {
  return canvas(800, 600)
    .withExif({
      IFD0: { Copyright: 'somebody', Make: 'camera' },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '51/1 30/1 3230/100',
        GPSLongitudeRef: 'W',
        GPSLongitude: '0/1 7/1 4366/100',
      },
    })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><r>GPS</r></x:xmpmeta>')
    .jpeg()
    .toBuffer();
}

/** Something with enough detail that its file can be cut in the middle of it. */
export function noise(width: number, height: number): Sharp {
  const pixels = Buffer.alloc(width * height * 3);
  let seed = 1;
  for (let at = 0; at < pixels.length; at += 1) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    pixels[at] = seed >> 16;
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** A PNG of one colour, written by hand: a few kilobytes that decode to side × side pixels. */
export function onePlainPng(side: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 1;
  const rows = deflateSync(Buffer.alloc(side * (1 + Math.ceil(side / 8))), { level: 9 });
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
