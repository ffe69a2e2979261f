import { setTimeout as sleep } from 'node:timers/promises';
import { fetchHeads } from '../../platform/log/topics.ts';
import { consumerOf } from '../../platform/postgres/serving.ts';
import { modelTopics } from '../../schemas/models.ts';
import type { Run } from './figures.ts';
import { startProcess } from './process.ts';
import type { BenchWorld } from './world.ts';

/** What one round of a consumer brought, as its process says it. */
interface Round {
  consumer: string;
  events: number;
  seconds: number;
  /** When it was done, milliseconds. */
  at: number;
}

/** A real projectors process of the world. */
export interface Projectors {
  /**
   * What its rounds of this consumer so far are for `count` of something: from when the first began to when the last
   * was committed.
   */
  run(consumer: string, count: number): Run;
  /** Its peak resident memory so far, megabytes. */
  memoryMb(): number;
  /** Resolves when this consumer has applied so many events; rejects when the process ends before. */
  applied(consumer: string, events: number): Promise<void>;
  /** The next line of its log that says this. */
  next(message: string): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

/**
 * Has a process make the tables of every model, as on the first day of an installation. Of a log that holds something
 * already, a process would make them by the bulk path.
 */
export async function installModels(world: BenchWorld): Promise<void> {
  const projectors = startProjectors(world);
  await allClaimed(
    world,
    Object.keys(modelTopics).map((model) => consumerOf(model, 1)),
  );
  await projectors.stop();
}

/** Resolves when each of these consumers has all partitions of its topics. */
export async function allClaimed({ owner, env }: BenchWorld, consumers: readonly string[]): Promise<void> {
  const claimed = `SELECT consumer FROM engine.position WHERE consumer = ANY($1) GROUP BY 1
    HAVING count(*) = $2 * count(DISTINCT topic)`;
  const params = [consumers, Number(env.EMULSION_PARTITIONS)];
  while ((await owner.query(claimed, params)).rowCount !== consumers.length) await sleep(100);
}

/** Resolves when every model has applied all that the log holds now; gives the seconds it took. */
export async function allApplied({ kafka, prefix, owner }: BenchWorld): Promise<number> {
  const began = performance.now();
  const topics = [...new Set(Object.values(modelTopics).flat())];
  const heads = await fetchHeads(kafka, prefix, topics);
  const ends = [...heads].flatMap(([topic, offsets]) =>
    offsets.map((head, partition) => ({ topic, partition, head })),
  );
  const behind = `SELECT FROM engine.position p JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS h (topic, partition, head)
    USING (topic, partition) WHERE p.consumer = ANY($4) AND p.position < h.head LIMIT 1`;
  const consumers = Object.keys(modelTopics).map((model) => consumerOf(model, 1));
  const params = [
    ends.map((end) => end.topic),
    ends.map((end) => end.partition),
    ends.map((end) => end.head),
    consumers,
  ];
  while ((await owner.query(behind, params)).rowCount !== 0) await sleep(lookEveryMs);
  return (performance.now() - began) / 1_000;
}

const lookEveryMs = 50;

/** Starts one; it begins to project at once whatever the log holds. */
export function startProjectors(world: BenchWorld, extra: Record<string, string> = {}): Projectors {
  const rounds: Round[] = [];
  const { until, memoryMb, stop } = startProcess(world, {
    main: 'projectors/main.ts',
    databaseKey: 'PROJECTOR_DATABASE_URL',
    env: extra,
    onLine(line) {
      const round = roundOf(line);
      if (round) rounds.push(round);
    },
  });
  const roundsOf = (consumer: string): Round[] => rounds.filter((round) => round.consumer === consumer);
  return {
    run: (consumer, count) => ({ ...runOf(roundsOf(consumer), count), memoryMb: memoryMb() }),
    async applied(consumer, events) {
      await until(() => {
        const sum = roundsOf(consumer).reduce((before, round) => before + round.events, 0);
        return sum >= events ? true : null;
      });
    },
    memoryMb,
    next: (message) =>
      until((line) => (line.includes(`"${message}"`) ? (JSON.parse(line) as Record<string, unknown>) : null)),
    stop,
  };
}

function roundOf(line: string): Round | null {
  if (!line.includes('"applied"')) return null;
  const { msg, consumer, events, seconds, timestamp } = JSON.parse(line);
  return msg === 'applied' ? { consumer, events, seconds, at: Date.parse(timestamp) } : null;
}

function runOf(rounds: readonly Round[], count: number): Run {
  const first = rounds[0]!;
  const began = first.at / 1_000 - first.seconds;
  return {
    count,
    seconds: rounds.at(-1)!.at / 1_000 - began,
    rounds: rounds.map(({ seconds }) => seconds * 1_000),
  };
}
