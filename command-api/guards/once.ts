import { crashPoint } from '../../platform/process/crash-points.ts';
import {
  type Answer,
  begunWith,
  type Decided,
  type Idempotency,
  type Minted,
  type RequestKey,
} from './idempotency.ts';
import { problem, problemOf } from './problem.ts';

export interface OnceRequest {
  /** null when the client sent no Idempotency-Key: the command runs, and a repeat would be another one. */
  key: RequestKey | null;
  /** The request in a form without secrets; another one under the same key is refused. */
  canonical: string;
  mint: Minted;
  /** What this command has decided by now; null when that is for `execute` to do. */
  decided: Decided | Answer | null;
}

export interface Done {
  body: unknown;
  position: Extract<Answer, { outcome: 'done' }>['position'];
  minted: Minted;
}

/**
 * Runs a command under its Idempotency-Key (DESIGN §3): what is minted and decided is stored before anything happens. A
 * repeat, and one of two at the same time, does what the first has decided, whatever the state is by then, or gives the
 * answer that is known. What `execute` throws is no answer and is not kept. Throws the refusal, or
 * idempotency_key_reused.
 */
export async function once(
  idempotency: Idempotency,
  { key, canonical, mint, decided }: OnceRequest,
  execute: (minted: Minted, decided: Decided | null) => Promise<Answer>,
): Promise<Done> {
  const begun = key ? await idempotency.begin(key, canonical, mint, decided) : begunWith(mint, decided);
  if (begun.state === 'reused') {
    throw problem('idempotency_key_reused', 'Send another request under an Idempotency-Key of its own.');
  }
  if (begun.state === 'known') return doneOf(begun.answer, begun.minted);
  if (!key) return doneOf(await execute(mint, begun.decided), mint);
  crashPoint('once.begun');
  const answer = await execute(begun.minted, begun.decided);
  crashPoint('once.executed');
  // What happened has happened, kept or not: a repeat that finds no answer runs again with the same ids.
  const kept = await idempotency.settle(key, answer).catch(() => answer);
  return doneOf(kept, begun.minted);
}

function doneOf(answer: Answer, minted: Minted): Done {
  if (answer.outcome === 'refused') throw problemOf(answer.refusal);
  return { body: answer.body, position: answer.position, minted };
}
