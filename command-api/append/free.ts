import type { Event } from '../../schemas/generated/events.ts';
import { isRefusal } from '../../schemas/problems.ts';
import type { Answer, Decided, Idempotency, Minted } from '../guards/idempotency.ts';
import { once } from '../guards/once.ts';
import type { Clock } from './clock.ts';
import { type CommandContext, type Decision, isUnchanged } from './decision.ts';
import type { LogWriter } from './log-writer.ts';
import { type Answered, type CommandRequest, contextOf, mintFor, onceRequestOf } from './request.ts';

/**
 * A free command (DESIGN §4): the state is loaded, rights are checked by the decider, the event is appended straight
 * away, without a lock; what slips through a race is settled by the models' times.
 */
export interface FreeCommand<B> {
  /** Newest event time in the state that `decide` looks at, milliseconds; 0 when it looks at none. */
  newestSeen: number;
  decide(context: CommandContext): Decision;
  /** The body of the answer; it is kept for repeats, so nothing that expires belongs into it. */
  answer(context: CommandContext): B;
}

export interface FreeShell {
  idempotency: Idempotency;
  writer: LogWriter;
  clock: Clock;
}

export interface FreeAnswer<B> extends Answered<B> {
  minted: Minted;
  /** false for a repeat whose answer was known. */
  appended: boolean;
}

/** Runs a free command under its Idempotency-Key. Throws the refusal, or outcome_unknown. */
export async function runFree<B>(
  shell: FreeShell,
  request: CommandRequest,
  command: FreeCommand<B>,
): Promise<FreeAnswer<B>> {
  const mint = mintFor(request, shell.clock, command.newestSeen);
  const decided = await decide(shell.writer, command, contextOf(request, mint));
  let appended = false;
  const execute = async (minted: Minted, kept: Decided | null): Promise<Answer> => {
    // null: of a process of before decisions were kept, whose request this repeats.
    const first = kept ?? (await decide(shell.writer, command, contextOf(request, minted)));
    const isStale = mint.time - minted.time > underWayMs && !isSameKind(first, decided);
    const intent = isStale ? decided : first;
    if (intent.outcome !== 'decided') return intent;
    const position = await shell.writer.append(intent.record);
    appended = true;
    const { time } = isStale ? mint : minted;
    return { outcome: 'done', body: intent.body, position: { positions: [position], time } };
  };
  const done = await once(shell.idempotency, onceRequestOf(request, mint, decided), execute);
  return { body: done.body as B, position: done.position, minted: done.minted, appended };
}

/**
 * Milliseconds that requests of one command may be under way side by side, or a first one's append. A repeat after that
 * does what is right by now, where that is something else: a follow that is kept back must not open an account that was
 * made private since.
 */
const underWayMs = 60_000;

function isSameKind(first: Decided | Answer, now: Decided | Answer): boolean {
  if (first.outcome !== 'decided' || now.outcome !== 'decided') return first.outcome === now.outcome;
  return first.record.headers.ce_type === now.record.headers.ce_type;
}

async function decide<B>(
  writer: LogWriter,
  command: FreeCommand<B>,
  context: CommandContext,
): Promise<Decided | Answer> {
  const decision = command.decide(context);
  if (isRefusal(decision)) return { outcome: 'refused', refusal: decision };
  const body = command.answer(context);
  if (isUnchanged(decision)) return { outcome: 'done', body, position: null };
  return { outcome: 'decided', body, record: await writer.encode(decision satisfies Event) };
}
