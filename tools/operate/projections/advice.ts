import type { RebuildRow } from '../../../platform/postgres/rebuilds.ts';
import type { VersionRow } from './rows.ts';

const worstFirst = [
  'stopped',
  'failed',
  'stalled',
  'not running',
  'waiting',
  'no code',
  'paused',
  'rebuilding',
  'starting',
];

/** The smaller, the sooner an operator is needed. */
export function gravity(state: string): number {
  const kind = state.startsWith('waiting for rebuild') ? 'rebuilding' : state;
  const known = worstFirst.findIndex((one) => kind.startsWith(one));
  return known === -1 ? worstFirst.length : known;
}

/** What to do about a state; null when nothing is to be done. */
export function adviceOn(
  state: string,
  model: string,
  version: VersionRow | null,
  rebuild: RebuildRow | null,
): string | null {
  if (state === 'stopped' && version?.state === 'filling')
    return `Start it again with emulsion rebuild ${model}, or remove it with emulsion drop ${model} --version ${version.version}.`;
  if (state === 'rebuilding' && rebuild?.state === 'ready')
    return `Lead readers to it with emulsion switch ${model}, or give it up with emulsion cancel ${model}.`;
  if (state.startsWith('waiting for rebuild of'))
    return `It begins when the other is done; emulsion cancel ${model} takes it out of the queue.`;
  if (state.startsWith('waiting for'))
    return 'It goes on by itself once that is back; emulsion doctor says what is wrong there.';
  return byState[state]?.(model, version) ?? null;
}

const byState: Record<string, (model: string, version: VersionRow | null) => string> = {
  stopped: () =>
    'No retry mends this: remove the cause, then restart the process (npx emulsion down projectors, reactors or media-pipeline, then npx emulsion up); it goes on where it stood.',
  stalled: () =>
    'Read the log of that process; emulsion doctor names long transactions that it may be waiting for.',
  'not running': () =>
    'Start its process: npx emulsion up. emulsion status shows what runs and where it logs.',
  failed: (model, version) =>
    `Remove the cause, then emulsion rebuild ${model}; remove this one with emulsion drop ${model} --version ${version?.version}.`,
  'no code': (model, version) =>
    version?.served
      ? `Readers still see it, and it stands still: deploy a release that has it, or wait until the newer one is built and switched to.`
      : `Deploy a release that has it, or remove it with emulsion drop ${model} --version ${version?.version}.`,
  paused: (model) => `Let it go on with emulsion resume ${model}.`,
  rebuilding: (model) => `Nothing is to be done; emulsion cancel ${model} gives it up.`,
};
