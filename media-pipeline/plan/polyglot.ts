import { pictureEnd } from './picture-end.ts';

/** Readers of PDF look for its mark this far into a file. */
const pdfReach = 1_024;

/** A ZIP is read from its end: this record, then a comment of at most 65,535 bytes up to the end of the file. */
const zipEnd = Buffer.from('PK\u0005\u0006', 'latin1');
const zipReach = 22 + 65_535;

/** Long enough that no film's or picture's own bytes look like it. */
const markup = /<(?:!doctype\s|html[\s>]|script[\s>]|iframe\s|\?php\s)/i;
const archives = ['Rar!\x1a', '7z\xbc\xaf'];

/**
 * Whether these bytes of a picture are another thing as well to somebody who opens them: an archive, a document or a
 * page (a program must stand at the start, where the picture is). Data behind the picture alone does not make it one:
 * phones put depth maps, a second picture or a short film there. What we serve is encoded anew and carries none of
 * it; this is about the original, which is kept.
 */
export function isPolyglot(bytes: Buffer): boolean {
  if (bytes.subarray(0, pdfReach).includes('%PDF-')) return true;
  if (endsAsZip(bytes)) return true;
  return isForeign(bytes.subarray(pictureEnd(bytes)));
}

function endsAsZip(bytes: Buffer): boolean {
  const tail = bytes.subarray(-zipReach);
  for (let at = tail.lastIndexOf(zipEnd); at >= 0; at = at === 0 ? -1 : tail.lastIndexOf(zipEnd, at - 1)) {
    if (at + 22 <= tail.length && at + 22 + tail.readUInt16LE(at + 20) === tail.length) return true;
  }
  return false;
}

function isForeign(behind: Buffer): boolean {
  const text = behind.toString('latin1');
  return archives.some((mark) => text.startsWith(mark)) || markup.test(text);
}
