import sharp from 'sharp';
import type { PhotoFile } from './photos.ts';

/** A picture made of a name alone: a sun over hills in colours of its own. */
export async function drawPicture(name: string): Promise<PhotoFile> {
  const seed = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
  const sun = `<circle cx="${200 + seed * 2}" cy="260" r="90" fill="hsl(${(seed + 40) % 360},90%,80%)"/>`;
  const hills = [0, 1, 2].map((n) => {
    const top = 480 + n * 120;
    const colour = `hsl(${(seed + 150 + n * 15) % 360},40%,${45 - n * 10}%)`;
    return `<path d="M0 ${top} Q320 ${top - 200 + n * 60} 640 ${top} T1280 ${top} V960 H0 Z" fill="${colour}"/>`;
  });
  const sky = `<rect width="1280" height="960" fill="hsl(${seed},60%,65%)"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="960">${sky}${sun}${hills.join('')}</svg>`;
  const bytes = await sharp(Buffer.from(svg)).jpeg({ quality: 88 }).toBuffer();
  return { name: `${name}.jpg`, contentType: 'image/jpeg', size: bytes.length, bytes: () => bytes };
}
