import { duration } from '../projections/print.ts';
import { formatTable } from '../table.ts';
import { type Content, contentOf, type Desk } from './desk.ts';
import { shown } from './event.ts';
import { addressOf, type Letter, type ParkedKey } from './letters.ts';
import type { Tried } from './retry.ts';

const addressOfFirst = (parked: ParkedKey): string => addressOf({ ...parked, offset: parked.first });

export function keysAsJson(keys: readonly ParkedKey[], now: number): unknown[] {
  return keys.map((parked) => ({
    letter: addressOfFirst(parked),
    ...parked,
    first: Number(parked.first),
    ageSeconds: Math.round((now - parked.parkedAt.getTime()) / 1_000),
  }));
}

/** One line a key: the record that all others of it wait behind. */
export function keysAsTable(
  keys: readonly ParkedKey[],
  all: { keys: number; records: number },
  now: number,
): string {
  if (keys.length === 0) return 'Nothing is parked.';
  const head = ['first letter', 'build', 'key', 'records', 'code', 'age', 'tries', ''];
  const rows = keys.map((parked) => [
    addressOfFirst(parked),
    parked.consumer,
    printable(parked.key),
    String(parked.records),
    parked.code,
    duration((now - parked.parkedAt.getTime()) / 1_000) || 'now',
    String(parked.attempts),
    parked.retry ? 'to be tried again' : '',
  ]);
  const more = all.keys > keys.length ? `, the ${keys.length} oldest of which are shown (--limit)` : '';
  return `${formatTable([head, ...rows])}\n${counted(all.records, 'record')} of ${counted(all.keys, 'key')}${more}`;
}

/** A key may hold anything, and a terminal does as it is told. */
function printable(key: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  return key.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}

export function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** Everything about one letter but what is personal in it: of that only how long it is. */
export async function letterAsJson(desk: Desk, letters: readonly Letter[]): Promise<Record<string, unknown>> {
  const [letter] = letters;
  const { model, topic, partition, offset, key, eventId, type, value } = letter!;
  const content = await contentOf(desk, letter!);
  return {
    ...{ letter: addressOf(letter!), model, topic, partition, offset: Number(offset), key, eventId, type },
    bytes: value.length,
    builds: letters.map(({ consumer, code, detail, attempts, parkedAt, retry }) => ({
      ...{ consumer, code, detail, attempts, parkedAt, retry },
    })),
    ...contentAsJson(content),
  };
}

function contentAsJson(content: Content): Record<string, unknown> {
  if (content.is === 'event')
    return { ruling: content.edited ? 'edited' : null, event: shown(content.sealed) };
  if (content.is === 'discarded') return { ruling: 'discarded', event: null };
  return { ruling: null, event: null, undecodable: content.why };
}

export function triedInWords({ through, parked, waiting }: Tried): string {
  const parts = [
    through > 0 ? `${counted(through, 'key')} came through` : '',
    parked > 0 ? `${counted(parked, 'key')} still parked` : '',
    waiting > 0 ? `${counted(waiting, 'key')} waiting to be tried` : '',
  ].filter((part) => part !== '');
  const hint =
    waiting > 0
      ? '\n  → They are tried once a process holds their partition and the model is not paused: see emulsion projections.'
      : '';
  return `${parts.join(', ')}.${hint}`;
}
