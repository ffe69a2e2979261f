import { createInterface } from 'node:readline/promises';
import { failure } from '../../../deploy/native/failure.ts';

/** Records that nobody is asked about. */
const handful = 5;

/** Asks a person who wants to do this to more than a handful of records; refuses when nobody is there to answer. */
export async function confirmMany(records: number, what: string, yes: boolean | undefined): Promise<void> {
  if (records <= handful || yes) return;
  if (!process.stdin.isTTY)
    throw failure(
      `This would ${what} ${records} records and nobody is here to confirm.`,
      'Add --yes if that is wanted.',
    );
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`This will ${what} ${records} records. Type that number to go on: `);
  terminal.close();
  if (answer.trim() !== String(records)) throw failure('Nothing was done.', `Type ${records} to confirm.`);
}
