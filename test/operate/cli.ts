import { execFile } from 'node:child_process';
import path from 'node:path';
import { withOperator } from '../../tools/operate/connect.ts';
import type { Projection } from '../../tools/operate/projections/projection.ts';
import { readProjections } from '../../tools/operate/projections/read.ts';

const root = path.resolve(import.meta.dirname, '../..');

export interface Printed {
  status: number;
  out: string;
  err: string;
}

/** Runs `emulsion` as an operator of that world does. */
export function emulsion(env: Record<string, string>, ...args: string[]): Promise<Printed> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['tools/cli/main.ts', ...args],
      { cwd: root, env: { ...process.env, ...env }, timeout: 60_000, maxBuffer: 1 << 24 },
      (error, out, err) => {
        const status = error ? (typeof error.code === 'number' ? error.code : -1) : 0;
        resolve({ status, out, err });
      },
    );
  });
}

/** What `emulsion projections --json` prints, without a process for each look. */
export function projections(env: Record<string, string>): Promise<Projection[]> {
  return withOperator(env, async (operator) => (await readProjections(operator)).projections);
}

/** The one of that model, by the served or only version. */
export async function projection(
  env: Record<string, string>,
  model: string,
  version = 1,
): Promise<Projection> {
  const found = (await projections(env)).find((one) => one.model === model && one.version === version);
  if (!found) throw new Error(`there is no ${model} ${version}`);
  return found;
}
