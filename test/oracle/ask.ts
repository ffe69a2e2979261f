import type { Answer, CallOptions, Client } from '../harness/client.ts';
import type { Request } from './history.ts';

/** Milliseconds between two tries, from the first to the last. */
const pauses = { first: 25, longest: 500 };

/** The part is not there, or says itself that it does not know: the same request may be sent again. */
const notYet = [502, 503, 504];

/**
 * Sends a request until somebody knows the answer: while services are killed there is no connection, or a 503. Throws
 * when nobody knew for `patienceMs`.
 */
export async function askUntilKnown(
  api: Client,
  { method, path, body }: Request,
  options: CallOptions,
  patienceMs: number,
): Promise<Answer & { times: number }> {
  const until = performance.now() + patienceMs;
  let pause = pauses.first;
  for (let times = 1; ; times += 1) {
    const answer = await api.call(method, path, { ...options, body }).catch((error: Error) => error);
    // Kept for the contract's test, which is another one; here there are too many.
    api.answers.length = 0;
    if (!(answer instanceof Error) && !notYet.includes(answer.status)) return { ...answer, times };
    if (performance.now() > until)
      throw new Error(`nobody knew the answer to ${method} ${path} in ${patienceMs} ms: ${lastWord(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(2 * pause, pauses.longest);
  }
}

function lastWord(answer: Answer | Error): string {
  if (answer instanceof Error) return `${answer.message} ${String(answer.cause ?? '')}`;
  return `${answer.status} ${JSON.stringify(answer.body)}`;
}
