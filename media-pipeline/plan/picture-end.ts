/**
 * Where a picture ends by its own format's rules, in bytes from the start, or where it is laid out in a way that we do
 * not follow. What lies behind is not shown by anyone, and so a place to hide things.
 */
export function pictureEnd(bytes: Buffer): number {
  if (bytes.readUInt16BE(0) === 0xffd8) return jpegEnd(bytes);
  if (bytes.subarray(1, 4).toString('latin1') === 'PNG') return pngEnd(bytes);
  if (bytes.subarray(0, 3).toString('latin1') === 'GIF') return gifEnd(bytes);
  if (bytes.subarray(0, 4).toString('latin1') === 'RIFF') return webpEnd(bytes);
  return boxesEnd(bytes);
}

/** Segments up to each scan, then the scan's own bytes up to the next marker that is none of its restarts. */
function jpegEnd(bytes: Buffer): number {
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return at;
    const marker = bytes[at + 1]!;
    if (marker === 0xd9) return at + 2;
    if (marker === 0xff) at += 1;
    else at = marker === 0xda ? scanEnd(bytes, segmentEnd(bytes, at)) : segmentEnd(bytes, at);
  }
  return bytes[at] === 0xff && bytes[at + 1] === 0xd9 ? at + 2 : at;
}

function segmentEnd(bytes: Buffer, at: number): number {
  return at + 2 + bytes.readUInt16BE(at + 2);
}

function scanEnd(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    if (bytes[at] !== 0xff) continue;
    const next = bytes[at + 1] ?? 0;
    const partOfScan = next === 0 || next === 0xff || (next >= 0xd0 && next <= 0xd7);
    if (!partOfScan) return at;
  }
  return bytes.length;
}

function pngEnd(bytes: Buffer): number {
  let at = 8;
  while (at + 12 <= bytes.length) {
    const type = bytes.subarray(at + 4, at + 8).toString('latin1');
    at += 12 + bytes.readUInt32BE(at);
    if (type === 'IEND') return at;
  }
  return at;
}

function gifEnd(bytes: Buffer): number {
  if (bytes.length < 13) return bytes.length;
  let at = 13 + colorTable(bytes[10]!);
  while (at < bytes.length) {
    const block = bytes[at];
    if (block === 0x3b) return at + 1;
    if (block === 0x21) at = subBlocksEnd(bytes, at + 2);
    else if (block === 0x2c) at = subBlocksEnd(bytes, at + 11 + colorTable(bytes[at + 9] ?? 0));
    else return at;
  }
  return at;
}

function colorTable(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

function subBlocksEnd(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== 0) at += bytes[at]! + 1;
  return at + 1;
}

function webpEnd(bytes: Buffer): number {
  const size = bytes.readUInt32LE(4);
  return 8 + size + (size % 2);
}

/** AVIF is a row of boxes, each with its size. A box of size 0 goes on to the end of the file. */
function boxesEnd(bytes: Buffer): number {
  let at = 0;
  while (at + 8 <= bytes.length && isBoxType(bytes, at + 4)) {
    const short = bytes.readUInt32BE(at);
    const size = short === 1 && at + 16 <= bytes.length ? Number(bytes.readBigUInt64BE(at + 8)) : short;
    if (size === 0) return bytes.length;
    if (size < 8 || at + size > bytes.length) return at;
    at += size;
  }
  return at;
}

function isBoxType(bytes: Buffer, at: number): boolean {
  return /^[\w ]{4}$/.test(bytes.subarray(at, at + 4).toString('latin1'));
}
