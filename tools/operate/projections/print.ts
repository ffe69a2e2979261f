import { formatTable } from '../table.ts';
import type { Projection } from './projection.ts';
import type { Look } from './read.ts';

/** What a person reads at night: all in one table, then each that is not well with its reason and what to do. */
export function printProjections({ projections, brokerProblem }: Look, partitions: boolean): string {
  if (projections.length === 0) return 'There is no projection yet: no projector has ever started.';
  const head = ['model', 'version', 'state', 'behind', 'lag', 'per second', 'eta', 'parked'];
  const parts = [formatTable([head, ...projections.map(cellsOf)])];
  if (brokerProblem) parts.push(`The broker does not answer (${brokerProblem}), so lag is not known.`);
  const notes = [...notesOn(projections), ...projections.flatMap(parkedNotes)];
  if (notes.length > 0) parts.push(notes.join('\n'));
  if (partitions) parts.push(...projections.map(partitionsOf));
  return parts.join('\n\n');
}

function cellsOf(projection: Projection): string[] {
  const { model, version, state, lagEvents, lagSeconds, perSecond, etaSeconds, parked } = projection;
  return [
    model,
    `${version}${roleOf(projection)}`,
    state,
    lagEvents === null ? '?' : String(lagEvents),
    duration(lagSeconds),
    String(perSecond),
    lagEvents === 0 ? '' : duration(etaSeconds),
    parked === 0 ? '' : String(parked),
  ];
}

function roleOf({ served, previous }: Projection): string {
  if (served) return ' served';
  return previous ? ' before' : '';
}

/** One note for all that share state, reason and remedy: a process that is down takes many with it. */
function notesOn(projections: readonly Projection[]): string[] {
  const told = projections.filter(({ reason, advice }) => reason !== null || advice !== null);
  const groups = Map.groupBy(told, ({ state, reason, advice, model }) =>
    [state, reason, advice?.replaceAll(model, '')].join('\n'),
  );
  return [...groups.values()].flatMap((group) => {
    const { state, reason, advice } = group[0]!;
    const names = group.map(({ model, version }) => `${model} ${version}`).join(', ');
    const what = `${names}: ${state}${reason ? `, ${reason}` : ''}`;
    return advice
      ? [what, `  → ${group.length > 1 ? advice.replace(group[0]!.model, 'MODEL') : advice}`]
      : [what];
  });
}

function parkedNotes({ model, version, parked }: Projection): string[] {
  if (parked === 0) return [];
  const what = `${model} ${version}: ${parked} records are parked, later ones of their keys among them`;
  return [what, `  → See emulsion dead-letters list --model ${model}.`];
}

function partitionsOf({ model, version, partitions, members }: Projection): string {
  const rows = partitions.map(({ topic, partition, position, head }) => [
    `${topic}/${partition}`,
    String(position),
    head === null ? '?' : String(head),
    head === null ? '?' : String(Math.max(0, head - position)),
  ]);
  const table = formatTable([[`${model} ${version}`, 'position', 'head', 'behind'], ...rows]);
  const run = members.map(({ process, state, perSecond }) => `  ${process} ${state}, ${round(perSecond)}/s`);
  return [table, ...run].join('\n');
}

/** `4 s`, `3 min`, `2.5 h`, `4 d`; nothing for no time at all. */
export function duration(seconds: number | null): string {
  if (seconds === null) return '?';
  if (seconds === 0) return '';
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${round(seconds / 3_600)} h` : `${round(seconds / 86_400)} d`;
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}
