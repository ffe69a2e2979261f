import { stackEnvironment } from '../../deploy/native/environment.ts';
import { type Answer, ask, operatorName, type Question } from './ask.ts';
import { withOperator } from './connect.ts';
import { requireModel } from './models.ts';

/** A command of the CLI that the projectors carry out: asks, prints what became of it; status 1 unless it is done. */
export async function carryOut(
  question: Omit<Question, 'askedBy'>,
  options: { json?: boolean } = {},
): Promise<Answer> {
  const answer = await withOperator(stackEnvironment(), async ({ pool }) => {
    await requireModel(pool, question.model);
    return ask(pool, { ...question, askedBy: operatorName() });
  });
  console.log(options.json ? JSON.stringify(answer) : inWords(question, answer));
  if (answer.outcome !== 'done') process.exitCode = 1;
  return answer;
}

function inWords({ kind, model }: Omit<Question, 'askedBy'>, { outcome, detail }: Answer): string {
  return `${kind} ${model}: ${outcome}${detail ? `. ${detail}` : ''}`;
}
