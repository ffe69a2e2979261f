import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Random } from '../../tools/load/random.ts';
import type { Answer, Client, Person } from '../harness/client.ts';
import { askUntilKnown } from '../oracle/ask.ts';
import type { Request } from '../oracle/history.ts';

/** A command that was accepted, with the token that says where its event is. */
export interface Booked {
  key: string;
  position: string;
}

/** Says commands, each until it is accepted, and writes down what was. */
export interface Book {
  booked: Booked[];
  /** Under a key of its own, repeated while nobody knows; throws when it is refused. Some are said once more. */
  say(who: Person, request: Request): Promise<Answer>;
}

/** Milliseconds for which one command is repeated under its key. */
const patienceMs = 120_000;
/** Of so many accepted commands one is said again. */
const againOneIn = 8;

export function openBook(api: Client, random: Random): Book {
  const tag = randomUUID();
  const booked: Booked[] = [];
  let said = 0;
  const ask = (who: Person, request: Request, key: string): Promise<Answer> =>
    askUntilKnown(api, request, { token: who.token, headers: { 'idempotency-key': key } }, patienceMs);
  return {
    booked,
    async say(who, request) {
      said += 1;
      const key = `${tag}-${said}`;
      const answer = await ask(who, request, key);
      const position = answer.headers.get('x-position');
      if (answer.status >= 300 || !position)
        throw new Error(`${request.method} ${request.path} was answered ${JSON.stringify(answer)}`);
      booked.push({ key, position });
      if (random.below(againOneIn) === 0) expectSame(answer, await ask(who, request, key));
      return answer;
    },
  };
}

/** The position may be another: an answer that could not be kept is given anew, and its event written again. */
function expectSame(first: Answer, again: Answer): void {
  expect([again.status, again.body]).toEqual([first.status, first.body]);
}
