import type { Pool } from '../postgres/pool.ts';
import { type ClaimedPosition, claimPositions } from '../postgres/positions.ts';
import { excuse, readSuspects, type Suspect } from '../postgres/suspects.ts';
import { carefulAfter, lettersAfter } from './careful.ts';
import type { HeldPartition } from './intake.ts';
import type { Kafka } from './kafka.ts';
import { fetchHeads, topicName } from './topics.ts';

/** A partition that this process holds. */
export interface Held extends HeldPartition {
  /** Parked records that may be tried again together; null: as many as ever. */
  lettersAtOnce: number | null;
  /** Batches in a row that did not begin where they should. */
  wrong: number;
  /** Rounds in a row that were fenced although nobody has told us that the partition is not ours any more. */
  fenced: number;
}

/** Our own corruption: the consumer stops, loudly (DESIGN §2 rule 6). */
export class PositionJumped extends Error {
  override name = 'PositionJumped';
}

/** What an operator can do about a position that the log does not have. */
export const changedOutside =
  'The log or the position was changed from outside: bring the log back, see deploy/runbooks/lost-kafka.md.';

export interface ClaimOptions {
  kafka: Kafka;
  pool: Pool;
  consumer: string;
  topics: readonly string[];
  prefix: string;
  start: 'beginning' | 'end';
}

/**
 * Takes over the partitions of this assignment (by the broker's names of topics). Throws PositionJumped when a position
 * lies beyond the log. `before` is what this process held until now.
 */
export async function claimAssigned(
  options: ClaimOptions,
  assignment: Record<string, number[]>,
  before: readonly Held[],
): Promise<Held[]> {
  const heads = await fetchHeads(options.kafka, options.prefix, options.topics);
  const starts = options.topics.flatMap((topic) =>
    (assignment[topicName(options.prefix, topic)] ?? []).map((partition) => ({
      topic,
      partition,
      start: options.start === 'end' ? (heads.get(topic)?.[partition] ?? 0n) : 0n,
    })),
  );
  const positions = await claimPositions(options.pool, options.consumer, starts);
  for (const { topic, partition, position } of positions) {
    const head = heads.get(topic)?.[partition] ?? 0n;
    if (position <= head) continue;
    throw new PositionJumped(
      `${options.consumer} stands at ${position} of ${topic}/${partition}, beyond the head ${head}. ${changedOutside}`,
    );
  }
  const suspects = await readSuspects(options.pool, options.consumer);
  const held: Held[] = [];
  for (const position of positions) held.push(await withCare(options, position, before, suspects));
  return held;
}

/** A partition that its last holder did not give back is read carefully at first, unless that was this very process. */
async function withCare(
  { pool, consumer }: ClaimOptions,
  position: ClaimedPosition,
  before: readonly Held[],
  suspects: readonly Suspect[],
): Promise<Held> {
  const isHere = (other: { topic: string; partition: number }): boolean =>
    other.topic === position.topic && other.partition === position.partition;
  const fresh = { ...position, fetched: position.position, wrong: 0, fenced: 0 };
  const own = before.find((was) => isHere(was) && was.generation === position.generation - 1n);
  if (own) return { ...fresh, careful: own.careful, lettersAtOnce: own.lettersAtOnce };
  const suspect = suspects.find(isHere);
  if (position.released) {
    if (suspect) await excuse(pool, consumer, position, 0);
    return { ...fresh, careful: null, lettersAtOnce: null };
  }
  const lettersAtOnce = await lettersAfter(pool, consumer, position, suspect);
  return { ...fresh, careful: carefulAfter(position, suspect), lettersAtOnce };
}
