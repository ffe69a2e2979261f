import { z } from 'zod';

/** Counts as a person does: a flag or a family of emoji is one character. */
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Marks that reorder or embed the text around them, and are not bound to end with it. */
const embedding = /[\u202a-\u202e]/gu;
const control = /[\p{Cc}--[\t\n]]/gv;
const lineControl = /\p{Cc}/gu;
const lineEnd = /\r\n|[\u0085\u2028\u2029]/gu;

/** A direction of its own for a name in a foreign script: three marks open it, one closes it, within a line. */
const isolate = /[\u2066-\u2069]/u;
const isolateEnd = '\u2069';

/** What shows as nothing and takes no room: zero-width and direction marks, fillers, variation selectors. */
const unseen = /[\p{Default_Ignorable_Code_Point}\p{Cf}[\p{Cc}--\p{White_Space}]]/gv;
/** White space, and what shows as such: the empty braille cell, the empty note head, a khitan filler. */
const empty = /[\p{White_Space}\u2800\u{1d159}\u{16fe4}]/gu;

/** A grapheme may be many code points (and an attacker's is); this many on average are let through. */
const codePointsPerCharacter = 8;

/** As a person counts: what shows as nothing is none, white space is some. */
export function countCharacters(text: string): number {
  let count = 0;
  for (const { segment } of segmenter.segment(text)) if (segment.replace(unseen, '') !== '') count += 1;
  return count;
}

export function isBlank(text: string): boolean {
  return text.replace(unseen, '').replace(empty, '') === '';
}

function clean(text: string, unwanted: RegExp): string {
  const plain = text
    .replace(lineEnd, '\n')
    .toWellFormed()
    .replace(embedding, '')
    .replace(unwanted, '')
    .split('\n')
    .map(withWholeIsolates)
    .join('\n')
    .normalize('NFC')
    .trim();
  return isBlank(plain) ? '' : plain;
}

/** Takes out the isolates that do not close in their line, which would turn what stands behind the text. */
function withWholeIsolates(line: string): string {
  if (!isolate.test(line)) return line;
  const marks = [...line];
  const open: number[] = [];
  for (const [at, mark] of marks.entries()) {
    if (!isolate.test(mark)) continue;
    if (mark !== isolateEnd) open.push(at);
    else if (open.pop() === undefined) marks[at] = '';
  }
  for (const at of open) marks[at] = '';
  return marks.join('');
}

/**
 * Text that a person writes: control characters and marks that reorder what stands beside it are taken out, half a
 * surrogate pair becomes U+FFFD, it is trimmed and normalised (NFC), and what shows as nothing is nothing; then it is counted as a
 * person counts.
 */
function written(limits: { min: number; max: number }, unwanted: RegExp) {
  const { min, max } = limits;
  const length =
    min > 0
      ? `${min} to ${max} characters, as a person counts them`
      : `At most ${max} characters, as a person counts them`;
  const codePoints = max * codePointsPerCharacter;
  const faultOf = (text: string): string | null => {
    if (min > 0 && text === '') return 'must not be blank';
    if ([...text].length > codePoints) return `must have at most ${codePoints} code points`;
    const count = countCharacters(text);
    if (count < min) return `must have at least ${min} characters`;
    return count > max ? `must have at most ${max} characters` : null;
  };
  return z
    .string()
    .max(codePoints, { abort: true })
    .overwrite((text) => clean(text, unwanted))
    .superRefine((text, context) => {
      const message = faultOf(text);
      if (message) context.addIssue({ code: 'custom', message });
    })
    .meta({ description: length, ...(min > 0 && { minLength: min }) });
}

/** One line: names, places. */
export function line(limits: { min: number; max: number }) {
  return written(limits, lineControl);
}

/** May have line breaks and tabs: captions, bios. */
export function lines(limits: { min: number; max: number }) {
  return written(limits, control);
}

/** An address that others are led to: http or https, and nothing before the host that could pass for it. */
export function webAddress(limits: { max: number }) {
  return z
    .url({ protocol: /^https?$/, normalize: true })
    .max(limits.max)
    .refine((text) => !hasUserinfo(text), 'must not hold a name or a password')
    .meta({ description: `http or https, without a name or a password; at most ${limits.max} characters` });
}

function hasUserinfo(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && url.username + url.password !== '';
}

/** A whole number of a query, in plain digits: no sign, exponent, fraction or blank, which Number() would take. */
export function plainNumber(limits: { min: number; max: number; fallback: number }) {
  const { min, max, fallback } = limits;
  const number = z.int().min(min).max(max);
  const read = (text: unknown) => (typeof text === 'string' && plainDigits.test(text) ? Number(text) : text);
  return z.preprocess(read, number).default(fallback);
}

const plainDigits = /^(0|[1-9]\d{0,8})$/;
