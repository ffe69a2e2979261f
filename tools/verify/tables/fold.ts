import { createScratch, putCell } from '../bytes/cells.ts';
import { keySpan, type Layout, putRegister, rowAt, stampEnd, stampStart } from '../bytes/layout.ts';
import { ahead, factHead, placeOf, type Subject } from '../piles/gather.ts';
import type { Registers } from '../spec.ts';

/**
 * The newest fact of each register, by table and key. Both are bytes as text of one byte a character: a million of
 * them take little, and comparing is the engine's own.
 */
export type Winners = readonly Map<string, string>[];

/** Where the row begins in a winner, which is a fact without its first byte. */
export const winnerRow = factHead - 1;

export function winnerBytes(winner: string): Buffer {
  return Buffer.from(winner, 'latin1');
}

/** Facts from behind the saved position, in the order of the log, by table and key. */
type Ahead = readonly Map<string, string[]>[];

const scratch = createScratch();

export interface Folded {
  winners: Winners;
  ahead: Ahead;
}

/**
 * Folds facts, in whatever order they come: of one key the newest (event time, event id) wins, and what is of somebody
 * erased is a tombstone.
 */
export function foldFacts(subject: Subject, each: (take: (fact: Buffer) => void) => void): Folded {
  const { layouts } = subject;
  const registers = layouts.filter((layout) => layout.isRegister);
  const winners = registers.map(() => new Map<string, string>());
  const later = registers.map(() => new Map<string, string[]>());
  each((fact) => {
    const table = fact[0]!;
    const key = keyText(layouts[table]!, fact, factHead);
    const text = fact.toString('latin1', 1);
    if ((fact[1]! & ahead) !== 0) later[table]!.set(key, [...(later[table]!.get(key) ?? []), text]);
    else if (isNewer(text, winners[table]!.get(key))) winners[table]!.set(key, text);
  });
  eraseWinners(subject, winners, later);
  return { winners, ahead: later };
}

function eraseWinners(
  subject: Subject,
  winners: readonly Map<string, string>[],
  later: readonly Map<string, string[]>[],
): void {
  if (subject.erased.size === 0) return;
  winners.forEach((own, table) => {
    for (const [key, winner] of own) own.set(key, asErased(subject, table, winner));
  });
  later.forEach((own, table) => {
    for (const [key, facts] of own)
      own.set(
        key,
        facts.map((fact) => asErased(subject, table, fact)),
      );
  });
}

/** The winner itself, or the tombstone that an erasure has left of it. */
function asErased({ spec, layouts, erased }: Subject, table: number, winner: string): string {
  const layout = layouts[table]!;
  const rule = spec.erasure?.rows[layout.table];
  if (!rule) return winner;
  const row = rowAt(layout, winnerBytes(winner), winnerRow);
  if (!rule.of.some((column) => erased.has(row[column]!))) return winner;
  const stays = [...layout.columns.slice(0, layout.keyCells), ...(rule.keeps ?? [])];
  const left = Object.fromEntries(stays.map((column) => [column, row[column]!]));
  const stamp = { live: false, time: Number(row.event_time), id: row.event_id! };
  scratch.length = 0;
  putRegister(scratch, layout, left, stamp, noDigest);
  return winner.slice(0, winnerRow) + scratch.bytes.toString('latin1', 0, scratch.length);
}

/** A tombstone says nothing personal. */
const noDigest = (): Buffer => Buffer.alloc(0);

export function keyText(layout: Layout, bytes: Buffer, row: number): string {
  const [from, to] = keySpan(layout, bytes, row);
  return bytes.toString('latin1', from, to);
}

const stampOf = (winner: string): string => winner.slice(winnerRow + stampStart, winnerRow + stampEnd);

function isNewer(fact: string, known: string | undefined): boolean {
  return known === undefined || stampOf(fact) > stampOf(known);
}

/** How far rows are seen to be beyond the saved position, and from where on they are seen not to be. */
export interface Beyond {
  /** By `topic/partition`: behind the last record whose row is there. */
  reached: Record<string, number>;
  /** The first record whose row is not there. */
  missing: Record<string, number>;
}

/**
 * A model that commits its rows first may be ahead of its position by the round under way. Takes such a fact for a
 * winner where the row shows it; whatever the row shows besides stays a difference.
 */
export function takeAhead(
  { winners, ahead: later }: Folded,
  beyond: Beyond,
  table: number,
  key: string,
  found: string,
): void {
  const facts = later[table]!.get(key);
  if (!facts) return;
  const held = winners[table]!.get(key);
  let newest = held;
  let shown = isRow(held, found);
  for (const fact of facts) {
    if (!isNewer(fact, newest)) continue;
    newest = fact;
    const { topic, partition, offset } = placeOf(Buffer.from(`\0${fact}`, 'latin1'));
    const id = `${topic}/${partition}`;
    if (shown) {
      beyond.missing[id] = Math.min(beyond.missing[id] ?? offset, offset);
      return;
    }
    if (!isRow(fact, found)) continue;
    shown = true;
    winners[table]!.set(key, fact);
    beyond.reached[id] = Math.max(beyond.reached[id] ?? 0, offset + 1);
  }
}

export function isRow(winner: string | undefined, row: string): boolean {
  return winner !== undefined && winner.length === winnerRow + row.length && winner.endsWith(row);
}

/** The folded registers as a model's facts ask for them. */
export function registersOf({ layouts }: Subject, winners: Winners): Registers {
  return {
    get(table, ...key) {
      const layout = layouts.find((own) => own.table === table)!;
      scratch.length = 0;
      for (const cell of key) putCell(scratch, cell);
      const winner = winners[layout.index]!.get(scratch.bytes.toString('latin1', 0, scratch.length));
      return winner === undefined ? undefined : rowAt(layout, winnerBytes(winner), winnerRow);
    },
  };
}
