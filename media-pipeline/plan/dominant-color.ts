/** Two pixels of one 16×16×16 box of colours count as the same. */
const boxes = 16 * 16 * 16;

/** What a picture of nothing but transparency is told to be. */
const white = '#ffffff';

/** The mean of the colours in the fullest box, as #rrggbb. Pixels are RGBA; half-transparent ones do not count. */
export function dominantColor(rgba: Uint8Array): string {
  const counts = new Uint32Array(boxes);
  for (let at = 0; at < rgba.length; at += 4) if (rgba[at + 3]! >= 128) counts[boxOf(rgba, at)]! += 1;
  const fullest = counts.indexOf(counts.reduce((most, count) => Math.max(most, count), 0));
  const count = counts[fullest]!;
  if (count === 0) return white;
  const sum = [0, 0, 0];
  for (let at = 0; at < rgba.length; at += 4) {
    if (rgba[at + 3]! < 128 || boxOf(rgba, at) !== fullest) continue;
    for (const channel of [0, 1, 2]) sum[channel]! += rgba[at + channel]!;
  }
  const hex = sum.map((total) =>
    Math.round(total / count)
      .toString(16)
      .padStart(2, '0'),
  );
  return `#${hex.join('')}`;
}

function boxOf(rgba: Uint8Array, at: number): number {
  return ((rgba[at]! >> 4) << 8) | ((rgba[at + 1]! >> 4) << 4) | (rgba[at + 2]! >> 4);
}
