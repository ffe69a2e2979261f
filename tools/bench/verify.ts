import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchHeads } from '../../platform/log/topics.ts';
import type { VerifyReport } from '../verify/report.ts';
import { consumeRaw } from './ceilings.ts';
import { against, type BenchReport, figureOf, loadNow, type Run } from './figures.ts';
import { appendEvents, likeEvent, likeFacts, mapped } from './likes.ts';
import { startProjectors } from './projectors.ts';
import type { BenchWorld } from './world.ts';

export interface VerifyOptions {
  likes: number;
  runs: number;
  /** What folding may take, as verify's own option says it. */
  memory: string;
  say(text: string): void;
}

/** The likes that were built from a long log are compared with it, by a process with less memory than the log is long. */
export async function benchVerify(world: BenchWorld, options: VerifyOptions): Promise<BenchReport> {
  const { likes, runs, memory, say } = options;
  const loadAverage = loadNow();
  say(`appending ${likes.toLocaleString('en')} likes`);
  await appendEvents(world, mapped(likeFacts(likes), likeEvent));
  say('building the models from them');
  await build(world, likes);
  const subject: Run[] = [];
  const raw: Run[] = [];
  let spilled = 0;
  for (let run = 1; run <= runs; run += 1) {
    say(`run ${run} of ${runs}: verify, raw consume`);
    const report = await verify(world, memory);
    const memoryMb = Math.round(report.peakRssBytes / 2 ** 20);
    subject.push({ count: likes, seconds: report.seconds, memoryMb });
    spilled = Math.max(spilled, report.spilledBytes);
    raw.push(await consumeRaw(world, 'like-events', likes));
  }
  const ceiling = figureOf('ceiling: raw consume of the same records', raw);
  return {
    bench: 'verify',
    subject: against(figureOf(`likes verified with --memory ${memory}`, subject), [ceiling]),
    others: [ceiling],
    loadAverage,
    notes: [
      `0 differences; ${Math.round(spilled / 2 ** 20).toLocaleString('en')} MB were spread over piles on disk`,
    ],
  };
}

const lookEveryMs = 500;

/** As at the first start on a log that is there already: the bulk path, then the ordinary one to the end. */
async function build(world: BenchWorld, likes: number): Promise<void> {
  const { kafka, prefix, owner } = world;
  const heads = (await fetchHeads(kafka, prefix, ['like-events'])).get('like-events')!;
  const total = heads.reduce((sum, head) => sum + Number(head), 0);
  if (total !== likes) throw new Error(`The log holds ${total} likes instead of ${likes}.`);
  const projectors = startProjectors(world);
  const served = `SELECT FROM engine.serving s JOIN engine.position p ON p.consumer = s.model || '.v' || s.version
    WHERE s.model = 'likes' HAVING sum(p.position) = $1`;
  while ((await owner.query(served, [total])).rowCount === 0) await sleep(lookEveryMs);
  await projectors.stop();
}

const root = path.resolve(import.meta.dirname, '../..');

/** Throws when anything differs. */
async function verify(world: BenchWorld, memory: string): Promise<VerifyReport> {
  const folder = path.join(tmpdir(), `emulsion-bench-verify-${world.prefix}`);
  const args = ['tools/cli/main.ts', 'verify', 'likes', '--memory', memory, '--dir', folder, '--json'];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...world.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  world.atEnd(async () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  let out = '';
  for await (const chunk of child.stdout) out += chunk;
  const report = JSON.parse(out || 'null') as VerifyReport | null;
  if (!report?.equal) throw new Error(`verify found differences, or did not end: ${out.slice(0, 1_000)}`);
  return report;
}
