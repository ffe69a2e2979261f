import { validate as isUuid } from 'uuid';
import type { SealedEvent } from '../../../platform/log/codec.ts';
import { Refused } from './builds.ts';

/** The rows that a repair makes again: those that name a user or a post, or whose newest event is not older. */
export type Scope = { id: string } | { since: number };

/** Reads the scope of a rebuild from its arguments; null when all of the model is meant. Throws Refused. */
export function scopeOf(given: Record<string, unknown>): Scope | null {
  const id = given.user ?? given.post;
  if (id !== undefined) {
    if (typeof id !== 'string' || !isUuid(id))
      throw new Refused('A user or a post is named by its id, a UUID.');
    return { id: id.toLowerCase() };
  }
  if (given.since === undefined) return null;
  const since = Date.parse(String(given.since));
  if (Number.isNaN(since)) throw new Refused('--since takes a time such as 2026-05-01T00:00:00Z.');
  return { since };
}

/** The newest event of a row, still sealed: it is revealed in the transaction that writes it. */
export interface Winner {
  table: string;
  key: string;
  sealed: SealedEvent;
}
