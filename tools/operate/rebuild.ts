import { stackEnvironment } from '../../deploy/native/environment.ts';
import type { Pool } from '../../platform/postgres/pool.ts';
import { isOpen, type RebuildRow, readRebuilds } from '../../platform/postgres/rebuilds.ts';
import { ask, operatorName, type Question } from './ask.ts';
import { withOperator } from './connect.ts';
import { requireModel } from './models.ts';
import { formatTable } from './table.ts';

export interface RebuildOptions {
  watch?: boolean;
  switch: boolean;
  user?: string;
  post?: string;
  since?: string;
  json?: boolean;
}

/** A repair reads the log once; nobody should have to guess that it still does. */
const patience = { queuedMs: 5_000, takenMs: 24 * 3_600_000 };

/** Asks for a build, or for a repair of a scope, and follows it when asked to. Status 1 unless it ends well. */
export async function rebuild(model: string, options: RebuildOptions): Promise<void> {
  await withOperator(stackEnvironment(), async ({ pool }) => {
    await requireModel(pool, model);
    // A repair, or a build to be looked at before readers see it, is another wish than the build under way.
    const attaches = options.watch && options.switch && !isScoped(options);
    const running = attaches ? await openRebuild(pool, model) : null;
    if (!running) {
      const answer = await ask(pool, questionOf(model, options), patience);
      console.log(
        options.json ? JSON.stringify(answer) : `rebuild ${model}: ${answer.outcome}. ${answer.detail}`,
      );
      if (answer.outcome !== 'done') process.exitCode = 1;
      if (!options.watch || answer.outcome !== 'done' || isScoped(options)) return;
    }
    await watch(pool, model, options);
  });
}

function questionOf(model: string, options: RebuildOptions): Question {
  const { user, post, since } = options;
  return {
    kind: 'rebuild',
    model,
    arguments: { user, post, since, switch: options.switch },
    askedBy: operatorName(),
  };
}

function isScoped({ user, post, since }: RebuildOptions): boolean {
  return (user ?? post ?? since) !== undefined;
}

async function newestRebuild(pool: Pool, model: string): Promise<RebuildRow | null> {
  const own = (await readRebuilds(pool)).filter((row) => row.model === model);
  return own.at(-1) ?? null;
}

async function openRebuild(pool: Pool, model: string): Promise<RebuildRow | null> {
  const newest = await newestRebuild(pool, model);
  return newest && isOpen(newest) ? newest : null;
}

const lookEveryMs = 1_000;

async function watch(pool: Pool, model: string, options: RebuildOptions): Promise<void> {
  for (let shown = 0; ; await new Promise((resolve) => setTimeout(resolve, lookEveryMs))) {
    const row = await newestRebuild(pool, model);
    if (!row) return;
    const text = options.json ? JSON.stringify(asJson(row)) : asText(row);
    // On a terminal the picture stays in its place; elsewhere each look is printed below the last.
    if (process.stdout.isTTY && shown > 0 && !options.json) process.stdout.write(`\x1b[${shown}A\x1b[J`);
    console.log(text);
    shown = text.split('\n').length;
    if (row.state === 'failed' || row.state === 'cancelled') process.exitCode = 1;
    if (!isOpen(row) || (row.state === 'ready' && !row.autoSwitch)) return;
  }
}

/** What a program follows: the sums, and each partition. */
function asJson(row: RebuildRow): Record<string, unknown> {
  const { model, version, state, detail, askedBy, perSecond, etaSeconds, errors } = row;
  const { events, target, bytes } = sums(row);
  const partitions = row.partitions.map((p) => ({
    ...p,
    position: Number(p.position),
    target: Number(p.target),
  }));
  return {
    model,
    version,
    state,
    detail,
    askedBy,
    events,
    target,
    bytes,
    perSecond,
    etaSeconds,
    errors,
    partitions,
  };
}

function asText(row: RebuildRow): string {
  const { events, target, bytes, errors } = sums(row);
  const rate = `${Math.round(row.perSecond).toLocaleString('en')}/s`;
  const eta = row.etaSeconds === null ? '' : `, ${Math.ceil(row.etaSeconds)} s to go`;
  const lines = [
    `${row.model} version ${row.version}: ${row.state.replace('_', ' ')}, ${percent(events, target)} of ${target.toLocaleString('en')} events, ${rate}${eta}, ` +
      `${(bytes / 1e6).toFixed(1)} MB, ${errors} parked, ${row.errors} errors tried again`,
  ];
  if (row.detail) lines.push(`  ${row.detail}`);
  if (row.state !== 'filling') return lines.join('\n');
  const parts = row.partitions.map((p) => [
    `${p.topic}/${p.partition}`,
    `${p.position}`,
    `${p.target}`,
    percent(Number(p.position), Number(p.target)),
    `${(p.bytes / 1e6).toFixed(1)} MB`,
    `${p.errors}`,
  ]);
  return `${lines.join('\n')}\n${formatTable([['partition', 'at', 'of', 'done', 'read', 'parked'], ...parts])}`;
}

function sums({ partitions }: RebuildRow): { events: number; target: number; bytes: number; errors: number } {
  const sum = (of: (p: RebuildRow['partitions'][number]) => number): number =>
    partitions.reduce((total, p) => total + of(p), 0);
  return {
    events: sum((p) => Number(p.position)),
    target: sum((p) => Number(p.target)),
    bytes: sum((p) => p.bytes),
    errors: sum((p) => p.errors),
  };
}

function percent(done: number, all: number): string {
  return all === 0 ? '100 %' : `${Math.floor((100 * done) / all)} %`;
}
