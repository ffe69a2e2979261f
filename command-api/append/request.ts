import { v7 } from 'uuid';
import type { PositionToken } from '../../platform/log/position.ts';
import { canonicalJson } from '../guards/canonical.ts';
import type { Minted } from '../guards/idempotency.ts';
import type { OnceRequest } from '../guards/once.ts';
import type { Clock } from './clock.ts';
import type { CommandContext } from './decision.ts';

/** What every command is told of its request, whatever it does. */
export interface CommandRequest {
  /** Contract name. */
  route: string;
  /** User id; '' where nobody is known yet. */
  actor: string;
  idempotencyKey: string | null;
  position: PositionToken | null;
  /** W3C trace id. */
  correlation: string;
  /** Parameters and body: what makes it another request under the same Idempotency-Key. */
  content: unknown;
  /** Names of fields that must not be in what is kept of it. */
  secrets?: readonly string[];
}

export interface Answered<B> {
  body: B;
  /** What this command added to the log; null when nothing. */
  position: PositionToken | null;
}

/** Ids and event time, minted once for this command (DESIGN §3). */
export function mintFor(request: CommandRequest, clock: Clock, newestSeen: number): Minted {
  return { eventId: v7(), newId: v7(), time: clock.timeAfter(request.position, newestSeen) };
}

export function onceRequestOf(
  request: CommandRequest,
  mint: Minted,
  decided: OnceRequest['decided'],
): OnceRequest {
  const { actor, route, idempotencyKey, content, secrets } = request;
  return {
    key: idempotencyKey === null ? null : { actor, route, key: idempotencyKey },
    canonical: idempotencyKey === null ? '' : canonicalJson(content, secrets),
    mint,
    decided,
  };
}

export function contextOf(request: CommandRequest, minted: Minted, actor = request.actor): CommandContext {
  return { ...minted, actor, correlation: request.correlation };
}
