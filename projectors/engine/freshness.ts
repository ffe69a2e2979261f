import type { HeldPosition } from '../../platform/log/consumer.ts';
import { openHeads } from '../../platform/log/topics.ts';
import { topics } from '../../schemas/topics.ts';
import type { Engine, RunningModel } from './runner.ts';

/** A look at a head: once the position has passed it, everything from before the look is applied. */
interface Look {
  head: bigint;
  /** When it was, milliseconds. */
  at: number;
}

const lookEveryMs = 1_000;

/**
 * Tells readers how fresh each partition is when nothing new comes: a position at the head that was read at some moment
 * has everything from before it. Without this a quiet day would look like lag (X-As-Of, DESIGN §5).
 */
export async function keepFresh(
  engine: Engine,
  models: () => readonly RunningModel[],
): Promise<{ close(): Promise<void> }> {
  const heads = await openHeads(engine.kafka, engine.prefix, topics);
  const looks = new Map<string, Look>();
  let running: Promise<void> | null = null;

  const look = async (): Promise<void> => {
    const at = Date.now();
    const now = await heads.read();
    for (const { consumer, held } of models()) {
      const fresh = held().flatMap((position) => freshness(looks, consumer, position, now, at));
      if (fresh.length > 0) engine.announcer.fresh(consumer, fresh);
    }
  };
  const timer = setInterval(() => {
    running ??= look()
      .catch((error) => engine.log.debug({ err: error }, 'the heads of the log could not be read'))
      .finally(() => {
        running = null;
      });
  }, lookEveryMs);
  return {
    async close() {
      clearInterval(timer);
      await running;
      await heads.close().catch(() => {});
    },
  };
}

/** The newest look that this position has passed; the one that it has not is kept for later. */
function freshness(
  looks: Map<string, Look>,
  consumer: string,
  { topic, partition, position }: HeldPosition,
  heads: ReadonlyMap<string, bigint[]>,
  at: number,
): (HeldPosition & { at: number })[] {
  const id = `${consumer} ${topic}/${partition}`;
  const head = heads.get(topic)?.[partition];
  if (head !== undefined && position >= head) {
    looks.delete(id);
    return [{ topic, partition, position, at }];
  }
  const earlier = looks.get(id);
  if (earlier && position < earlier.head) return [];
  if (head !== undefined) looks.set(id, { head, at });
  return earlier ? [{ topic, partition, position, at: earlier.at }] : [];
}
