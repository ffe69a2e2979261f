import type { createBinder } from '../../platform/http/bind.ts';
import type { Call, HttpContract, Reply } from '../../platform/http/contract.ts';
import { encodePosition, mergePosition, type PositionToken } from '../../platform/log/position.ts';
import { currentTrace } from '../../platform/telemetry/trace.ts';
import type { Answered, CommandRequest } from '../append/request.ts';

/** What every request of this room opens with: the caller's own last position, waited for. */
export interface Scope {
  position: PositionToken | null;
}

export type Handle = ReturnType<typeof createBinder<Scope>>;

/** The part of a validated call that every command needs. */
export function requestOf<C extends HttpContract>(
  contract: C,
  call: Call<C, Scope>,
  secrets: readonly string[] = [],
): CommandRequest {
  const { params, query, body } = call;
  return {
    route: contract.name,
    actor: call.viewer?.userId ?? '',
    idempotencyKey: call.idempotencyKey,
    position: call.scope.position,
    correlation: currentTrace()!.traceId,
    content: { params, query, body },
    secrets,
  };
}

/** Makes answers carry X-Position: what the caller had seen and what this command added (DESIGN §5). */
export function openReplies(positionKey: Buffer) {
  return function reply<C extends HttpContract>(
    call: Call<C, Scope>,
    { body, position }: Answered<Reply<C>['body']>,
  ): Reply<C> {
    const nothing: PositionToken = { positions: [], time: 0 };
    const merged = mergePosition(call.scope.position, position ?? nothing);
    return { body, headers: { 'X-Position': encodePosition(merged, positionKey) } };
  };
}

export type ReplyWith = ReturnType<typeof openReplies>;
