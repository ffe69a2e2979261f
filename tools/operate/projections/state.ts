import { stalledAfterMs } from '../../../platform/log/lag.ts';
import { unseenAfterSeconds } from '../../../platform/postgres/members.ts';
import { isOpen, type RebuildRow } from '../../../platform/postgres/rebuilds.ts';
import type { MemberRow, PauseRow, VersionRow } from './rows.ts';

/** All that a state follows from. */
export interface Facts {
  model: string;
  /** null for a consumer without tables. */
  version: VersionRow | null;
  /** The build of this version. */
  rebuild: RebuildRow | null;
  /** Another model whose build is under way. */
  building: string | null;
  pause: PauseRow | null;
  members: readonly MemberRow[];
  /** Whether somebody runs another version of the model. */
  siblingRuns: boolean;
  /** Behind, not held by anybody, and since when it has not moved, milliseconds. */
  orphans: readonly { where: string; movedAt: number }[];
  /** Milliseconds. */
  now: number;
}

export interface Standing {
  /**
   * running, starting, rebuilding, paused, stalled, stopped, failed, dropping, not running, no code, or `waiting for …`
   * with broker, postgres, redis, registry, object store or `rebuild of X`.
   */
  state: string;
  reason: string | null;
}

/** Tells apart why a projection is not where it could be; the gravest reason wins. */
export function stateOf(facts: Facts): Standing {
  const alive = facts.members.filter(({ unseen }) => unseen <= unseenAfterSeconds);
  return (
    unprojected(facts) ??
    unseen(facts, alive) ??
    stopped(alive) ??
    paused(facts) ??
    retrying(alive) ??
    stalled(facts, alive) ??
    failedBuild(facts) ??
    buildOf(facts) ??
    plain(alive)
  );
}

/** A version that runners leave alone: it is being filled, or dropped. */
function unprojected(facts: Facts): Standing | null {
  const { version, rebuild } = facts;
  if (version?.state === 'dropping') return { state: 'dropping', reason: null };
  if (version?.state !== 'filling') return null;
  if (rebuild && isOpen(rebuild)) return buildOf(facts);
  const why = rebuild ? `the rebuild ${rebuild.state}${rebuild.detail ? `: ${rebuild.detail}` : ''}` : null;
  return { state: 'stopped', reason: why ?? 'half filled, and no rebuild works on it' };
}

/** It is projected like any other, and no reader may be led to it. */
function failedBuild({ version, rebuild }: Facts): Standing | null {
  if (rebuild?.state !== 'failed' || version?.served || version?.previous) return null;
  return { state: 'failed', reason: rebuild.detail };
}

function buildOf({ rebuild, building, now }: Facts): Standing | null {
  if (!rebuild || !isOpen(rebuild)) return null;
  if (rebuild.state === 'waiting' && building)
    return { state: `waiting for rebuild of ${building}`, reason: rebuild.detail };
  if (rebuild.heldUntil && rebuild.heldUntil.getTime() < now && rebuild.state !== 'ready')
    return { state: 'not running', reason: `nobody works on its rebuild (${phaseOf(rebuild)})` };
  return { state: 'rebuilding', reason: phaseOf(rebuild) };
}

/** `filling 45 %` */
function phaseOf({ state, partitions, detail }: RebuildRow): string {
  const total = partitions.reduce((sum, { target }) => sum + Number(target), 0);
  const done = partitions.reduce(
    (sum, { position, target }) => sum + Math.min(Number(position), Number(target)),
    0,
  );
  const percent = total === 0 ? '' : ` ${Math.floor((done * 100) / total)} %`;
  return `${state.replaceAll('_', ' ')}${percent}${detail ? `: ${detail}` : ''}`;
}

function unseen({ members, siblingRuns }: Facts, alive: readonly MemberRow[]): Standing | null {
  if (alive.length > 0) return null;
  if (siblingRuns) return { state: 'no code', reason: 'no running process has the code of this version' };
  const last = members.toSorted((a, b) => a.unseen - b.unseen)[0];
  const reason = last
    ? `${last.process} was last seen ${Math.round(last.unseen)} s ago`
    : 'no process reports it';
  return { state: 'not running', reason };
}

function stopped(alive: readonly MemberRow[]): Standing | null {
  const member = alive.find(({ state }) => state === 'stopped');
  return member ? { state: 'stopped', reason: member.reason } : null;
}

function paused({ pause }: Facts): Standing | null {
  if (!pause) return null;
  return { state: 'paused', reason: `by ${pause.by} since ${pause.at.toISOString()}` };
}

function retrying(alive: readonly MemberRow[]): Standing | null {
  const member = alive.find(({ state }) => state === 'retrying');
  if (!member) return null;
  const [, dependency, said] = /^(waiting for [a-z ]+): (.*)$/s.exec(member.reason ?? '') ?? [];
  if (dependency) return { state: dependency, reason: said! };
  return { state: 'stalled', reason: `tries one round again and again: ${member.reason}` };
}

function stalled({ orphans, now }: Facts, alive: readonly MemberRow[]): Standing | null {
  const member = alive.find(({ state, reason }) => state === 'running' && reason !== null);
  if (member)
    return { state: 'stalled', reason: `${member.reason!.replace(/^stalled: /, '')}, ${member.process}` };
  const orphan = orphans.find(({ movedAt }) => now - movedAt > stalledAfterMs);
  return orphan ? { state: 'stalled', reason: `nobody holds ${orphan.where}` } : null;
}

function plain(alive: readonly MemberRow[]): Standing {
  const running = alive.some(({ state }) => state === 'running');
  return { state: running ? 'running' : (alive[0]?.state ?? 'not running'), reason: null };
}
