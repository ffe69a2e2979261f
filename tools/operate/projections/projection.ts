import { type Heads, recordsBehind, secondsBehind } from '../../../platform/log/lag.ts';
import { unseenAfterSeconds } from '../../../platform/postgres/members.ts';
import { isOpen, type RebuildRow } from '../../../platform/postgres/rebuilds.ts';
import { consumerOf } from '../../../platform/postgres/serving.ts';
import { adviceOn, gravity } from './advice.ts';
import type { EngineRows, MemberRow, PositionRow, VersionRow } from './rows.ts';
import { stateOf } from './state.ts';

/** One version of one model, as `emulsion projections --json` prints it. */
export interface Projection {
  model: string;
  /** 1 for a consumer without tables, which has no versions. */
  version: number;
  state: string;
  /** null: the heads of the log are not known. */
  lagEvents: number | null;
  /** Age of the newest moment that is wholly applied; 0 at the head; null when nothing is known. */
  lagSeconds: number | null;
  perSecond: number;
  etaSeconds: number | null;
  partitions: { topic: string; partition: number; position: number; head: number | null }[];
  consumer: string;
  definition: number | null;
  served: boolean;
  previous: boolean;
  reason: string | null;
  /** What to do, when something is to be done. */
  advice: string | null;
  /** Records. */
  parked: number;
  members: Pick<MemberRow, 'process' | 'state' | 'reason' | 'perSecond'>[];
}

/** Every version of every model and every other consumer, the one that needs an operator most first. */
export function projectionsOf(rows: EngineRows, heads: Heads | null, now: number): Projection[] {
  const builds = rows.versions.map((version) =>
    projectionOf(rows, heads, now, consumerOf(version.model, version.version), version),
  );
  const known = new Set(builds.map(({ consumer }) => consumer));
  const others = [...rows.positions, ...rows.members]
    .map(({ consumer }) => consumer)
    .filter((consumer) => !known.has(consumer) && !/\.v\d+$/.test(consumer));
  const plain = [...new Set(others)].map((consumer) => projectionOf(rows, heads, now, consumer, null));
  return [...builds, ...plain].sort(
    (a, b) =>
      gravity(a.state) - gravity(b.state) ||
      (b.lagSeconds ?? 0) - (a.lagSeconds ?? 0) ||
      a.model.localeCompare(b.model) ||
      a.version - b.version,
  );
}

function projectionOf(
  rows: EngineRows,
  heads: Heads | null,
  now: number,
  consumer: string,
  version: VersionRow | null,
): Projection {
  const model = version?.model ?? consumer;
  const members = rows.members.filter((member) => member.consumer === consumer);
  const alive = members.filter(({ unseen }) => unseen <= unseenAfterSeconds);
  const rebuild =
    rows.rebuilds.find((one) => one.model === model && one.version === version?.version) ?? null;
  const parts = partitionsOf(rows.positions, rebuild, consumer, heads, alive);
  const { state, reason } = stateOf({
    model,
    version,
    rebuild,
    building: buildingBeside(rows.rebuilds, model),
    pause: rows.pauses.find((pause) => pause.model === model) ?? null,
    members,
    siblingRuns: runsSibling(rows, consumer, model),
    orphans: parts
      .filter(isOrphan)
      .map((part) => ({ where: `${part.topic}/${part.partition}`, movedAt: part.movedAt })),
    now,
  });
  const lagEvents = sum(parts.map(recordsBehind));
  const perSecond = ratesOf(alive, rebuild);
  return {
    model,
    version: version?.version ?? 1,
    state,
    lagEvents,
    lagSeconds: furthest(parts.map((part) => secondsBehind(part, now) ?? olderThan(part.movedAt, now))),
    perSecond: round(perSecond),
    etaSeconds: etaOf(rebuild, lagEvents, perSecond),
    partitions: parts.map(({ topic, partition, position, head }) => ({
      topic,
      partition,
      position: Number(position),
      head: head === null ? null : Number(head),
    })),
    consumer,
    definition: version?.definition ?? null,
    served: version?.served ?? false,
    previous: version?.previous ?? false,
    reason,
    advice: adviceOn(state, model, version, rebuild),
    parked: rows.parked.get(consumer) ?? 0,
    members: alive.map(({ process, state, reason, perSecond }) => ({ process, state, reason, perSecond })),
  };
}

interface Part extends Pick<PositionRow, 'topic' | 'partition' | 'position' | 'eventTime' | 'movedAt'> {
  head: bigint | null;
  fresh: number | null;
  held: boolean;
}

/** Where a version stands; one that is being filled stands where its build does. */
function partitionsOf(
  positions: readonly PositionRow[],
  rebuild: RebuildRow | null,
  consumer: string,
  heads: Heads | null,
  alive: readonly MemberRow[],
): Part[] {
  const own = positions.filter((position) => position.consumer === consumer);
  const filled = (rebuild?.partitions ?? [])
    .filter((part) => !own.some((p) => p.topic === part.topic && p.partition === part.partition))
    .map((part) => ({ ...part, eventTime: null, movedAt: 0 }));
  return [...own, ...filled].map(({ topic, partition, position, eventTime, movedAt }) => {
    const id = `${topic}/${partition}`;
    const fresh = Math.max(...alive.map((member) => member.fresh[id] ?? 0), 0);
    const held = alive.some((member) => id in member.fresh);
    const head = heads?.get(topic)?.[partition] ?? null;
    return { topic, partition, position, eventTime, movedAt, head, fresh: fresh || null, held };
  });
}

function isOrphan(part: Part): boolean {
  return !part.held && part.movedAt > 0 && (recordsBehind(part) ?? 0) > 0;
}

function buildingBeside(rebuilds: readonly RebuildRow[], model: string): string | null {
  return rebuilds.find((one) => one.model !== model && isOpen(one) && one.state !== 'waiting')?.model ?? null;
}

function runsSibling({ versions, members }: EngineRows, consumer: string, model: string): boolean {
  const siblings = versions
    .filter((version) => version.model === model)
    .map(({ version }) => consumerOf(model, version))
    .filter((name) => name !== consumer);
  return members.some((member) => siblings.includes(member.consumer) && member.unseen <= unseenAfterSeconds);
}

/** A build under way reports its own rate until runners have taken it over. */
function ratesOf(alive: readonly MemberRow[], rebuild: RebuildRow | null): number {
  if (alive.length === 0 && rebuild && isOpen(rebuild)) return rebuild.perSecond;
  return alive.reduce((total, member) => total + member.perSecond, 0);
}

function etaOf(rebuild: RebuildRow | null, lagEvents: number | null, perSecond: number): number | null {
  if (rebuild && isOpen(rebuild) && rebuild.etaSeconds !== null) return round(rebuild.etaSeconds);
  if (lagEvents === 0) return 0;
  return lagEvents === null || perSecond <= 0 ? null : round(lagEvents / perSecond);
}

/** null as soon as one of them is not known. */
function sum(numbers: readonly (number | null)[]): number | null {
  return numbers.reduce(
    (total, one) => (total === null || one === null ? null : total + one),
    0 as number | null,
  );
}

function furthest(seconds: readonly (number | null)[]): number | null {
  const known = seconds.filter((one) => one !== null);
  return known.length > 0 ? round(Math.max(...known)) : null;
}

function olderThan(movedAt: number, now: number): number | null {
  return movedAt > 0 ? Math.max(0, (now - movedAt) / 1_000) : null;
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}
