import { z } from 'zod';

/** Counts as a person does: a flag or a family of emoji is one character. */
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Marks that reorder or embed the text around them; isolates and direction marks are harmless and stay. */
const reordering = /[\u202a-\u202e]/gu;
const control = /[\p{Cc}--[\t\n]]/gv;
const lineControl = /\p{Cc}/gu;

/** White space, and what shows as nothing: zero-width and direction marks, fillers, the empty braille cell. */
const invisible = /[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\u2800]/gu;

/** A grapheme may be many code points (and an attacker's is); this many on average are let through. */
const codePointsPerCharacter = 8;

export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of segmenter.segment(text)) count += 1;
  return count;
}

export function isBlank(text: string): boolean {
  return text.replace(invisible, '') === '';
}

function clean(text: string, unwanted: RegExp): string {
  return text
    .replaceAll('\r\n', '\n')
    .toWellFormed()
    .replace(reordering, '')
    .replace(unwanted, '')
    .normalize('NFC')
    .trim();
}

/**
 * Text that a person writes: control characters and marks that reorder are taken out, it is trimmed and normalised
 * (NFC), then counted as a person counts. With `min` above 0, text that shows as nothing is refused.
 */
function written(limits: { min: number; max: number }, unwanted: RegExp) {
  const { min, max } = limits;
  const length =
    min > 0
      ? `${min} to ${max} characters, as a person counts them`
      : `At most ${max} characters, as a person counts them`;
  return z
    .string()
    .max(max * codePointsPerCharacter)
    .overwrite((text) => clean(text, unwanted))
    .refine((text) => countCharacters(text) <= max, `must have at most ${max} characters`)
    .refine((text) => min === 0 || !isBlank(text), 'must not be blank')
    .refine((text) => countCharacters(text) >= min, `must have at least ${min} characters`)
    .meta({ description: length });
}

/** One line: names, places. */
export function line(limits: { min: number; max: number }) {
  return written(limits, lineControl);
}

/** May have line breaks and tabs: captions, bios. */
export function lines(limits: { min: number; max: number }) {
  return written(limits, control);
}
