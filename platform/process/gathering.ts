/** Asks for all that is wanted in the same moment at once; gives at least what it found of these keys. */
export type Gathering<V> = (keys: Iterable<string>) => Promise<ReadonlyMap<string, V>>;

/** Queries of one gathering under way. What is wanted meanwhile waits, and makes few large queries of many small. */
const atOnce = 2;
/**
 * Milliseconds between the beginnings of two queries while several ask at once: one then serves all that come in
 * between, because sending it is what costs most, on either side. Whoever asks alone, however often, does not wait.
 */
const paceMs = 8;
const maxKeysPerLoad = 2_000;

interface Batch<V> {
  keys: Set<string>;
  askers: number;
  result: Promise<ReadonlyMap<string, V>>;
  resolve(found: ReadonlyMap<string, V>): void;
  reject(error: Error): void;
}

export interface GatheringLimits {
  /** Keys of one load. */
  maxKeys?: number;
  /** Loads that wait; who would need another one is refused. */
  maxWaiting?: number;
}

/**
 * One query for the keys that many requests want at the same time. It begins after each of them has asked, so nobody
 * is told what was so before. `load` leaves out what does not exist.
 */
export function openGathering<V>(
  load: (keys: string[]) => Promise<ReadonlyMap<string, V>>,
  { maxKeys = maxKeysPerLoad, maxWaiting = Number.POSITIVE_INFINITY }: GatheringLimits = {},
): Gathering<V> {
  const waiting: Batch<V>[] = [];
  let underWay = 0;
  /** When the next query may begin. */
  let next = 0;
  let paced = false;

  const begin = (): void => {
    if (paced) return;
    while (underWay < atOnce && waiting.length > 0) {
      const rest = next - performance.now();
      // What did not fit into one query does not wait for the next.
      if (rest > 0 && waiting.length === 1) {
        pace(rest);
        return;
      }
      const { keys, askers, resolve, reject } = waiting.shift()!;
      next = askers > 1 ? performance.now() + paceMs : 0;
      underWay += 1;
      load([...keys])
        .then(resolve, reject)
        .finally(() => {
          underWay -= 1;
          begin();
        });
    }
  };
  const pace = (rest: number): void => {
    paced = true;
    setTimeout(() => {
      paced = false;
      begin();
    }, rest);
  };
  const openBatch = (): Batch<V> => {
    const last = waiting.at(-1);
    if (last && last.keys.size < maxKeys) return last;
    if (waiting.length >= maxWaiting) throw new Error('too much is waited for already');
    const { promise: result, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, V>>();
    const batch = { keys: new Set<string>(), askers: 0, result, resolve, reject };
    waiting.push(batch);
    setImmediate(begin);
    return batch;
  };
  return async (keys) => {
    const batches = new Set<Batch<V>>();
    for (const key of keys) {
      const batch = openBatch();
      batch.keys.add(key);
      batches.add(batch);
    }
    for (const batch of batches) batch.askers += 1;
    const results = await Promise.all([...batches].map(({ result }) => result));
    return results.length === 1 ? results[0]! : new Map(results.flatMap((found) => [...found]));
  };
}
