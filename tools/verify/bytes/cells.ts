/** Bytes that are being put together, one record at a time. */
export interface Scratch {
  bytes: Buffer;
  length: number;
}

/** Turns what people wrote into something that only tells equal from different. */
export type Digest = (text: string) => Buffer;

const nothing = 0;
const uuid = 1;
const shortText = 2;
const longText = 3;
const personal = 4;
const digestBytes = 16;
const uuidText = 36;

export function createScratch(): Scratch {
  return { bytes: Buffer.allocUnsafe(65_536), length: 0 };
}

export function reserve(scratch: Scratch, more: number): void {
  if (scratch.length + more <= scratch.bytes.length) return;
  const larger = Buffer.allocUnsafe(Math.max(scratch.bytes.length * 2, scratch.length + more));
  scratch.bytes.copy(larger, 0, 0, scratch.length);
  scratch.bytes = larger;
}

/** Adds one value: ids take 17 bytes, so that millions of them fit into little. Equal values have equal bytes. */
export function putCell(scratch: Scratch, value: string | null | undefined): void {
  if (value === null || value === undefined) {
    reserve(scratch, 1);
    scratch.bytes[scratch.length++] = nothing;
    return;
  }
  const bytes = Buffer.byteLength(value);
  reserve(scratch, bytes + 5);
  const start = scratch.length + (bytes < 256 ? 2 : 5);
  scratch.bytes.write(value, start);
  putWritten(scratch, start, bytes);
}

/** The same for a value that is there as text in UTF-8. */
export function putText(scratch: Scratch, source: Buffer, from: number, bytes: number): void {
  reserve(scratch, bytes + 5);
  const start = scratch.length + (bytes < 256 ? 2 : 5);
  source.copy(scratch.bytes, start, from, from + bytes);
  putWritten(scratch, start, bytes);
}

/** Finishes a cell whose text stands where the text of its kind belongs. */
function putWritten(scratch: Scratch, start: number, bytes: number): void {
  const { bytes: target, length } = scratch;
  if (bytes === uuidText && packUuid(target, start, length + 1)) {
    target[length] = uuid;
    scratch.length += 17;
  } else if (bytes < 256) {
    target[length] = shortText;
    target[length + 1] = bytes;
    scratch.length += 2 + bytes;
  } else {
    target[length] = longText;
    target.writeUInt32BE(bytes, length + 1);
    scratch.length += 5 + bytes;
  }
}

/** Adds what somebody wrote as its length and a digest. */
export function putPersonal(scratch: Scratch, text: string | null | undefined, digest: Digest): void {
  if (text === null || text === undefined) {
    putCell(scratch, null);
    return;
  }
  reserve(scratch, 5 + digestBytes);
  scratch.bytes[scratch.length] = personal;
  scratch.bytes.writeUInt32BE(text.length, scratch.length + 1);
  digest(text).copy(scratch.bytes, scratch.length + 5, 0, digestBytes);
  scratch.length += 5 + digestBytes;
}

/** The 16 bytes of a UUID at `to`, from its text at `from`, which may lie on it; false: it is no UUID. */
export function packUuid(bytes: Buffer, from: number, to: number): boolean {
  for (let i = 0; i < uuidText; i += 1) {
    const isDash = i === 8 || i === 13 || i === 18 || i === 23;
    if (isDash ? bytes[from + i] !== 45 : hexOf[bytes[from + i]!]! === 255) return false;
  }
  let at = to;
  for (let i = from; i < from + uuidText; i += 2) {
    if (bytes[i] === 45) i += 1;
    bytes[at++] = (hexOf[bytes[i]!]! << 4) | hexOf[bytes[i + 1]!]!;
  }
  return true;
}

const hexOf = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit += 1) {
  hexOf[digit.toString(16).charCodeAt(0)] = digit;
  hexOf[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

export function uuidAt(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Where the cell after this one begins. */
export function afterCell(bytes: Buffer, at: number): number {
  switch (bytes[at]) {
    case nothing:
      return at + 1;
    case uuid:
      return at + 17;
    case shortText:
      return at + 2 + bytes[at + 1]!;
    case longText:
      return at + 5 + bytes.readUInt32BE(at + 1);
    default:
      return at + 5 + digestBytes;
  }
}

/** The value of a cell; of a personal one a length and enough of the digest to tell two apart. */
export function cellAt(bytes: Buffer, at: number): string | null {
  switch (bytes[at]) {
    case nothing:
      return null;
    case uuid:
      return uuidAt(bytes, at + 1);
    case shortText:
      return bytes.toString('utf8', at + 2, afterCell(bytes, at));
    case longText:
      return bytes.toString('utf8', at + 5, afterCell(bytes, at));
    default: {
      const characters = bytes.readUInt32BE(at + 1);
      return `‹personal, ${characters} characters, ${bytes.toString('hex', at + 5, at + 7)}…›`;
    }
  }
}

/** 32 bits that spread evenly whatever the bytes are: FNV-1a, then mixed. */
export function hashOf(bytes: Buffer, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
