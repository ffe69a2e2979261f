import { type Answer, type Call, codeOf } from './client.ts';

/** What became of the commands of a load. */
export interface Tally {
  accepted: Record<string, number>;
  refused: { command: string; code: string; count: number; first: string }[];
}

export function createTally(): Tally {
  return { accepted: {}, refused: [] };
}

/** Counts one answer; true when the command was accepted. */
export function count(tally: Tally, command: string, call: Call, answer: Answer): boolean {
  if (answer.status >= 200 && answer.status < 300) {
    tally.accepted[command] = (tally.accepted[command] ?? 0) + 1;
    return true;
  }
  const code = codeOf(answer);
  const known = tally.refused.find((refusal) => refusal.command === command && refusal.code === code);
  if (known) known.count += 1;
  else
    tally.refused.push({
      command,
      code,
      count: 1,
      first: `${call.method} ${call.path}: ${answer.body?.detail ?? ''}`,
    });
  return false;
}
