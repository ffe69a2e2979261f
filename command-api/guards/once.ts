import { crashPoint } from '../../platform/process/crash-points.ts';
import type { Answer, Idempotency, Minted, RequestKey } from './idempotency.ts';
import { problem, problemOf } from './problem.ts';

export interface OnceRequest {
  /** null when the client sent no Idempotency-Key: the command runs, and a repeat would be another one. */
  key: RequestKey | null;
  /** The request in a form without secrets; another one under the same key is refused. */
  canonical: string;
  mint: Minted;
}

export interface Done {
  body: unknown;
  position: Extract<Answer, { outcome: 'done' }>['position'];
  minted: Minted;
}

/**
 * Runs a command under its Idempotency-Key (DESIGN §3): what is minted is stored before anything happens, a repeat
 * runs with the same ids and time, or gives the answer that is known. What `execute` throws is no answer and is not
 * kept. Throws the refusal, or idempotency_key_reused.
 */
export async function once(
  idempotency: Idempotency,
  { key, canonical, mint }: OnceRequest,
  execute: (minted: Minted) => Promise<Answer>,
): Promise<Done> {
  if (!key) return doneOf(await execute(mint), mint);
  const begun = await idempotency.begin(key, canonical, mint);
  if (begun.state === 'reused') {
    throw problem('idempotency_key_reused', 'Send another request under an Idempotency-Key of its own.');
  }
  if (begun.state === 'known') return doneOf(begun.answer, begun.minted);
  crashPoint('once.begun');
  const answer = await execute(begun.minted);
  crashPoint('once.executed');
  // What happened has happened, kept or not: a repeat that finds no answer runs again with the same ids.
  const kept = await idempotency.settle(key, answer).catch(() => answer);
  return doneOf(kept, begun.minted);
}

function doneOf(answer: Answer, minted: Minted): Done {
  if (answer.outcome === 'refused') throw problemOf(answer.refusal);
  return { body: answer.body, position: answer.position, minted };
}
